"""A policy pack: policy, golden set and release note as one zip file, with a manifest and the sha256 of each part.

Nothing of a pack is ever unpacked to the disk: the few names that it may hold are read into memory, each up to a
limit of its own, whatever sizes the zip claims. What has another name, another hash or another version is refused.
"""

from __future__ import annotations

import hashlib
import io
import json
import re
import zipfile
import zlib
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

from studio import paths
from studio.core.errors import InputError
from studio.core.golden import GoldenExample
from studio.core.policy import Policy
from studio.exchange.content_files import jsonl, parse_json
from studio.exchange.files import decode
from studio.exchange.labelled import own
from studio.exchange.policy_files import policy_file, policy_from_bytes

SUFFIX = ".policypack"
FORMAT, VERSION = "moderation-studio policy pack", 1
_MANIFEST, _POLICY, _GOLDEN, _NOTE = "manifest.json", "policy.md", "golden.jsonl", "release-note.md"
_MB = 1024 * 1024
_LIMITS = {_MANIFEST: 64 * 1024, _POLICY: 4 * _MB, _GOLDEN: 64 * _MB, _NOTE: _MB}
"""Bytes of each part at most, unpacked: what the studio reads of such a file when it lies alone."""
_MOST_BYTES = sum(_LIMITS.values())
_METHODS = {zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED}
_ENCRYPTED = 0x1
_DAY = (1980, 1, 1, 0, 0, 0)
"""The same pack is the same bytes: no entry carries the clock."""
_SHA256 = re.compile(r"[0-9a-f]{64}")


@dataclass(frozen=True, slots=True)
class Pack:
    """What a pack holds. ``number`` and ``release`` are of the version that was packed, 0 and empty when of none."""

    policy: Policy
    examples: tuple[GoldenExample, ...] = ()
    note: str = ""
    number: int = 0
    release: str = ""
    created_at: datetime | None = None
    notes: tuple[str, ...] = field(default=())


def write_pack(pack: Pack, path: Path, *, studio_version: str) -> None:
    """Write a pack, whole or not at all. Raises InputError when a part is too large, or the place cannot be written."""
    parts = {_POLICY: policy_file(pack.policy)}
    if pack.examples:
        parts[_GOLDEN] = _lines(pack.examples)
    if pack.note:
        parts[_NOTE] = pack.note.encode("utf-8", "replace")
    for name, data in parts.items():
        if len(data) > _LIMITS[name]:
            raise InputError(
                f"{name} would be {len(data):,} bytes long; a pack holds at most {_LIMITS[name]:,}.",
                hint="Export the golden set as a file of its own.",
            )
    manifest = {
        "format": FORMAT,
        "version": VERSION,
        "studio": studio_version,
        "created_at": pack.created_at.isoformat() if pack.created_at else None,
        "policy": {
            "id": pack.policy.id,
            "title": pack.policy.title,
            "sha256": pack.policy.sha256,
            "number": pack.number,
            "release": pack.release,
        },
        "examples": len(pack.examples),
        "files": {
            name: {"bytes": len(data), "sha256": hashlib.sha256(data).hexdigest()} for name, data in parts.items()
        },
    }
    whole = io.BytesIO()
    with zipfile.ZipFile(whole, "w") as archive:
        listed = (json.dumps(manifest, indent=2, ensure_ascii=False) + "\n").encode("utf-8", "replace")
        for name, data in {_MANIFEST: listed, **parts}.items():
            archive.writestr(zipfile.ZipInfo(name, _DAY), data, zipfile.ZIP_DEFLATED)
    try:
        paths.write_atomically(path, whole.getvalue())
    except OSError as error:
        raise InputError(f"{path} could not be written: {error.strerror or error}.", hint="Choose another.") from error


def read_pack(path: Path) -> Pack:
    """Read a pack. Raises InputError or PolicyError saying what is wrong with it; nothing of it was kept then."""
    parts = _parts(path)
    manifest = _manifest(parts.pop(_MANIFEST, None), path)
    _verify(manifest, parts, path)
    if _POLICY not in parts:
        raise _bad(path, f"it has no {_POLICY}")
    told = manifest["policy"]
    read = policy_from_bytes(parts[_POLICY], str(told.get("id") or path.stem), where=f"{path}, {_POLICY}")
    if read.policy.sha256 != told.get("sha256"):
        raise _bad(path, "its policy judges otherwise than its manifest says")
    examples = _examples(decode(parts.get(_GOLDEN, b""), f"{path}, {_GOLDEN}"), read.policy.id, path)
    if len(examples) != manifest.get("examples"):
        raise _bad(path, f"it has {len(examples)} examples and its manifest says {manifest.get('examples')!r}")
    number, release = told.get("number"), told.get("release")
    return Pack(
        policy=read.policy,
        examples=examples,
        note=decode(parts.get(_NOTE, b""), f"{path}, {_NOTE}"),
        number=number if isinstance(number, int) and not isinstance(number, bool) else 0,
        release=release if isinstance(release, str) else "",
        created_at=_moment(manifest.get("created_at"), path),
        notes=read.notes,
    )


def _parts(path: Path) -> dict[str, bytes]:
    """All parts by name, each read up to its limit."""
    try:
        size = path.stat().st_size
        if size > _MOST_BYTES:
            raise _bad(path, f"it is {size:,} bytes long, and a pack has at most {_MOST_BYTES:,}")
        with zipfile.ZipFile(path) as archive:
            return {info.filename: _part(archive, info, path) for info in _entries(archive, path)}
    except OSError as error:
        raise InputError(f"{path} could not be read: {error.strerror or error}.", hint="Check the name.") from error
    except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError, ValueError) as error:
        raise _bad(path, "it is no whole zip file") from error


def _entries(archive: zipfile.ZipFile, path: Path) -> list[zipfile.ZipInfo]:
    entries = archive.infolist()
    seen: set[str] = set()
    for info in entries:
        if info.filename not in _LIMITS:
            raise _bad(path, f"it holds {info.filename[:80]!r}, which is no part of a pack")
        if info.filename in seen:
            raise _bad(path, f"it holds {info.filename} twice")
        if info.flag_bits & _ENCRYPTED or info.compress_type not in _METHODS:
            raise _bad(path, f"{info.filename} is encrypted, or packed in a way that packs do not use")
        if info.file_size > _LIMITS[info.filename]:
            raise _bad(path, f"{info.filename} is {info.file_size:,} bytes long; at most {_LIMITS[info.filename]:,}")
        seen.add(info.filename)
    return entries


def _part(archive: zipfile.ZipFile, info: zipfile.ZipInfo, path: Path) -> bytes:
    limit = _LIMITS[info.filename]
    with archive.open(info) as file:
        data = file.read(limit + 1)
    if len(data) > limit:
        raise _bad(path, f"{info.filename} is longer than it says, and than the {limit:,} bytes that are read")
    return data


def _manifest(data: bytes | None, path: Path) -> dict[str, Any]:
    if data is None:
        raise _bad(path, f"it has no {_MANIFEST}")
    manifest = parse_json(decode(data, f"{path}, {_MANIFEST}"), f"{path}, {_MANIFEST}", hint="Ask for the pack again.")
    if not isinstance(manifest, dict) or manifest.get("format") != FORMAT:
        raise _bad(path, "its manifest is not that of a policy pack")
    version = manifest.get("version")
    if version != VERSION or isinstance(version, bool):
        raise InputError(
            f"{path} is a policy pack of version {version!r}; this studio reads version {VERSION}.",
            hint="Open it with a newer Moderation Studio.",
        )
    if not isinstance(manifest.get("files"), dict) or not isinstance(manifest.get("policy"), dict):
        raise _bad(path, "its manifest is not complete")
    return manifest


def _verify(manifest: dict[str, Any], parts: dict[str, bytes], path: Path) -> None:
    listed = manifest["files"]
    if set(listed) != set(parts):
        raise _bad(path, "its manifest does not list just the files that are in it")
    for name, data in parts.items():
        told = listed[name].get("sha256") if isinstance(listed[name], dict) else None
        if not isinstance(told, str) or not _SHA256.fullmatch(told) or hashlib.sha256(data).hexdigest() != told:
            raise _bad(path, f"{name} is not the file that its manifest describes (sha256)")


def _examples(text: str, policy_id: str, path: Path) -> tuple[GoldenExample, ...]:
    where, hint = f"{path}, {_GOLDEN}", "Ask for the pack again."
    found = []
    for number, row, _raw in jsonl(text, where, hint):
        try:
            found.append(own.example(row, policy_id))
        except InputError as error:
            raise InputError(f"{where}, line {number}: {error.message}", hint=hint) from error
    return tuple(found)


def _lines(examples: Iterable[GoldenExample]) -> bytes:
    return "".join(json.dumps(own.fields(one), ensure_ascii=False) + "\n" for one in examples).encode()


def _moment(value: Any, path: Path) -> datetime | None:
    if value is None:
        return None
    try:
        moment = datetime.fromisoformat(value)
    except (TypeError, ValueError) as error:
        raise _bad(path, "its manifest has a date that is none") from error
    return moment if moment.tzinfo else None


def _bad(path: Path, problem: str) -> InputError:
    return InputError(
        f"{path} cannot be used as a policy pack: {problem}.", hint="Ask those who made it for the pack again."
    )
