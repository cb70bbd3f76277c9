"""Verifies a bundle, folder or archive, against its manifest, with the code that its installer uses."""

from __future__ import annotations

import tarfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from studio.exchange.bundle import installer
from studio.exchange.bundle.installer import Manifest
from studio.exchange.bundle.sink import BundleError


@dataclass(frozen=True, slots=True)
class Verified:
    """What a bundle is. ``problems``: all that is wrong, missing or not listed, one line each; empty when it is whole.

    ``misfits``: why it does not fit this machine.
    """

    path: Path
    studio: str
    created: str
    files: int
    models: tuple[str, ...]
    policies: tuple[str, ...]
    manifest_sha256: str
    problems: tuple[str, ...]
    misfits: tuple[str, ...]


def verify(path: Path, *, told: Callable[[str], None] | None = None) -> Verified:
    """Read every byte of a bundle. Raises BundleError when it is none, or cannot be read."""
    try:
        if path.is_dir():
            manifest, problems = installer.check_folder(path, told)
            data = (path / installer.MANIFEST).read_bytes()
        else:
            manifest, problems, data = _check_archive(path, told)
    except installer.BundleProblem as error:
        raise BundleError(str(error), hint="Make the bundle again, or copy it again.") from error
    except (OSError, tarfile.TarError, EOFError, ValueError) as error:
        raise BundleError(
            f"{path} cannot be read as a bundle: {getattr(error, 'strerror', None) or error}.",
            hint="Name the folder, or the tar archive, of a bundle.",
        ) from error
    return Verified(
        path=path,
        studio=str(manifest["studio"]),
        created=str(manifest.get("created", "")),
        files=len(manifest["files"]),
        models=tuple(str(model.get("name", "")) for model in manifest["models"]),
        policies=tuple(str(policy.get("id", "")) for policy in manifest["policies"]),
        manifest_sha256=installer.sha256(data),
        problems=tuple(problems),
        misfits=tuple(installer.misfits(manifest["requires"])),
    )


def _check_archive(path: Path, told: Callable[[str], None] | None) -> tuple[Manifest, list[str], bytes]:
    """An archive, read from its beginning to its end without unpacking anything."""
    found: dict[str, tuple[int, str]] = {}
    odd: list[str] = []
    roots: set[str] = set()
    data: bytes | None = None
    with path.open("rb") as file, tarfile.open(fileobj=file, mode="r:") as packed:
        for number, entry in enumerate(packed):
            if number > installer.MOST_FILES:
                raise installer.BundleProblem(f"{path} holds more files than a bundle has.")
            root, _, name = entry.name.partition("/")
            roots.add(root)
            if not entry.isreg() or not installer.is_safe(name) or name in found or len(roots) > 1:
                odd.append(entry.name[:200])
                continue
            content: Any = packed.extractfile(entry)
            if name == installer.MANIFEST:
                data = content.read(installer.MOST_MANIFEST_BYTES + 1)
                found[name] = (len(data), "")
            else:
                found[name] = installer.digest(content)
            if told is not None:
                told(name)
    if data is None:
        raise installer.BundleProblem(f"{path} has no {installer.MANIFEST}: it is not a bundle, or not all of it.")
    manifest = installer.read_manifest(data)
    return manifest, installer.compare(manifest, found, odd), data
