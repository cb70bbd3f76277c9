"""Wheels for a bundle, made anew from what is installed: every file by its record, so that no network is needed.

An installer keeps in ``RECORD`` which files a wheel brought, with their sha256, and in ``WHEEL`` for which systems it
was made (the binary distribution format of PyPA). Only what an installer itself writes is left out: compiled Python
files, commands (made again from the entry points) and its own notes. A file that is not as recorded is an error.
"""

from __future__ import annotations

import base64
import csv
import hashlib
import importlib.metadata
import io
import itertools
import re
import sys
import zipfile
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from importlib.metadata import Distribution, PackagePath
from pathlib import Path, PurePosixPath

from packaging.requirements import InvalidRequirement, Requirement
from packaging.utils import canonicalize_name, parse_wheel_filename

from studio.core.errors import InputError, NotFoundError

MOST_BYTES = 4 * 1024 * 1024 * 1024
"""Of one distribution, unpacked."""

_INSTALLERS_OWN = {"RECORD", "RECORD.jws", "RECORD.p7s", "INSTALLER", "REQUESTED", "direct_url.json", "uv_cache.json"}
_LICENCES = re.compile(r"(?:licen[cs]e|copying|notice|authors|copyright)", re.IGNORECASE)
_OLDEST = (1980, 1, 1, 0, 0, 0)
_NATIVE = "linux_"
"""The platform of a wheel that was built on the machine itself and may use all that its processor has."""


@dataclass(frozen=True, slots=True)
class Package:
    """A distribution as it goes into a bundle. ``native``: built on a machine for that machine."""

    name: str
    version: str
    wheel: str
    licence: str
    native: bool


def closure(name: str, find: Callable[[str], Distribution] = importlib.metadata.distribution) -> list[Distribution]:
    """A distribution and all that it needs here, by name. Raises NotFoundError when one of them is not installed."""
    found: dict[str, Distribution] = {}
    todo: list[tuple[str, frozenset[str], str]] = [(name, frozenset(), "")]
    done: set[tuple[str, frozenset[str]]] = set()
    while todo:
        wanted, extras, needer = todo.pop()
        key = canonicalize_name(wanted)
        if (key, extras) in done:
            continue
        done.add((key, extras))
        try:
            found[key] = found.get(key) or find(wanted)
        except importlib.metadata.PackageNotFoundError as error:
            raise NotFoundError(
                f"{wanted} is not installed" + (f", and {needer} needs it." if needer else "."),
                hint="Install the studio again, or name a folder of wheels with --wheels.",
            ) from error
        for requirement in _requirements(found[key]):
            marker = requirement.marker
            if marker is None or any(marker.evaluate({"extra": extra}) for extra in ("", *extras)):
                todo.append((requirement.name, frozenset(requirement.extras), wanted))
    return [found[key] for key in sorted(found)]


def rebuild(distribution: Distribution, folder: Path) -> Package:
    """Make the wheel of an installed distribution in ``folder``. Raises InputError when it is not as it was installed.

    A source tree that is installed in place has no wheel of its own: see :func:`is_editable`.
    """
    name = f"{distribution.metadata['Name']} {distribution.version}"
    files = distribution.files
    about = next((f for f in files or () if f.name == "WHEEL" and f.parent.name.endswith(".dist-info")), None)
    if files is None or about is None:
        raise InputError(
            f"{name} has no record of its files: it was not installed from a wheel.",
            hint="Name a folder of wheels with --wheels.",
        )
    stem = about.parent.name.removesuffix(".dist-info")
    wheel_text = distribution.read_text("WHEEL") or ""
    tags = _tags(wheel_text)
    target = folder / f"{stem}-{tags}.whl"
    commands = {entry.name for entry in distribution.entry_points if entry.group in ("console_scripts", "gui_scripts")}
    rows: list[tuple[str, str, str]] = []
    total = 0
    with zipfile.ZipFile(target, "x", zipfile.ZIP_DEFLATED, compresslevel=3) as archive:
        for file, place in _places(files, stem, commands):
            data, mode = _read(file, name)
            total += len(data)
            if total > MOST_BYTES:
                raise InputError(f"{name} is larger than {MOST_BYTES:,} bytes.", hint="Name a folder with --wheels.")
            if "/scripts/" in place and data.startswith(b"#!"):
                # Installers put the path of their own Python there.
                data = b"#!python" + data[data.find(b"\n") :]
            _put(archive, place, data, mode)
            rows.append((place, f"sha256={_encoded(hashlib.sha256(data))}", str(len(data))))
        text = io.StringIO()
        record = f"{stem}.dist-info/RECORD"
        csv.writer(text, lineterminator="\n").writerows([*rows, (record, "", "")])
        _put(archive, record, text.getvalue().encode("utf-8"), 0o644)
    licence = licence_of(distribution)
    native = any(platform.startswith(_NATIVE) for platform in tags.rpartition("-")[2].split("."))
    return Package(distribution.metadata["Name"], distribution.version, target.name, licence, native)


def named(path: Path) -> Package:
    """What the name of a wheel says. Raises InputError when it is no such name."""
    try:
        name, version, _build, tags = parse_wheel_filename(path.name)
    except ValueError as error:
        raise InputError(f"{path} is not named as a wheel is: {error}.", hint="Take it out of the folder.") from error
    return Package(name, str(version), path.name, "", any(tag.platform.startswith(_NATIVE) for tag in tags))


def opened(wheel: Path) -> Distribution:
    """The metadata of a wheel, as those of an installed distribution."""
    with zipfile.ZipFile(wheel) as archive:
        folder = next(name for name in archive.namelist() if name.endswith(".dist-info/METADATA"))
    return importlib.metadata.PathDistribution(zipfile.Path(wheel, folder.removesuffix("METADATA")))


def given(folder: Path, names: Iterable[str]) -> list[tuple[Path, Package]]:
    """The wheels of a folder for these distributions, by file name. Raises InputError with those that are missing."""
    wheels: dict[str, tuple[Path, Package]] = {}
    for path in sorted(folder.glob("*.whl")):
        package = named(path)
        if package.name in wheels:
            raise InputError(
                f"{folder} holds {package.name} twice: {wheels[package.name][0].name} and {path.name}.",
                hint="Leave one of them there.",
            )
        wheels[package.name] = (path, package)
    wanted = [canonicalize_name(name) for name in names]
    missing = [name for name in wanted if name not in wheels]
    if missing:
        raise InputError(
            f"{folder} lacks wheels for: {', '.join(missing)}.",
            hint="On a machine with a network: pip download --dest FOLDER, with the names that are missing.",
        )
    return [wheels[name] for name in wanted]


def licence_of(distribution: Distribution) -> str:
    """What a distribution says of its licence, in a few words; empty when it says nothing."""
    told = distribution.metadata
    classifiers = [c.rsplit(" :: ", 1)[-1] for c in told.get_all("Classifier") or () if c.startswith("License ::")]
    fields = [(told.get_all(field) or [""])[0] for field in ("License-Expression", "License")]
    named = fields[0] or "; ".join(classifiers) or fields[1]
    return " ".join(named.split())[:200]


def licence_texts(distribution: Distribution) -> Iterator[tuple[str, bytes]]:
    """The texts of its licences that a distribution brought, by name."""
    for file in distribution.files or ():
        inside = any(part.endswith(".dist-info") for part in file.parts)
        if inside and (_LICENCES.match(file.name) or "licenses" in file.parts):
            below = itertools.dropwhile(lambda part: not part.endswith(".dist-info"), file.parts)
            try:
                yield PurePosixPath(*list(below)[1:]).as_posix(), file.read_binary()
            except (OSError, KeyError):
                # Recorded and not there: what a wheel needs to be right is checked when it is made anew.
                continue


def is_editable(distribution: Distribution) -> bool:
    """Whether its code is used where it is developed."""
    return '"editable": true' in (distribution.read_text("direct_url.json") or "")


def _requirements(distribution: Distribution) -> Iterator[Requirement]:
    for line in distribution.requires or ():
        try:
            yield Requirement(line)
        except InvalidRequirement as error:
            raise InputError(
                f"{distribution.metadata['Name']} has a requirement that cannot be read: {line}."
            ) from error


def _tags(text: str) -> str:
    """The tags of a WHEEL file as a file name has them: all that occur in each place, and the number of the build."""
    rows = [line.partition(":") for line in text.splitlines()]
    tags = [value.strip().split("-") for key, _, value in rows if key == "Tag"]
    if not tags or any(len(tag) != 3 for tag in tags):
        raise InputError("A WHEEL file does not say for which systems it is.", hint="Name a folder with --wheels.")
    build = next((value.strip() for key, _, value in rows if key == "Build"), "")
    named = "-".join(".".join(sorted({tag[place] for tag in tags})) for place in range(3))
    return f"{build}-{named}" if build else named


def _places(files: list[PackagePath], stem: str, commands: set[str]) -> Iterator[tuple[PackagePath, str]]:
    """Each file that came from the wheel, with its place in the wheel; the metadata last, as the format asks."""
    kept = []
    for file in files:
        own = file.parent.name == f"{stem}.dist-info" and file.name in _INSTALLERS_OWN
        if own or "__pycache__" in file.parts or file.suffix == ".pyc":
            continue
        place: str | None = file.as_posix()
        if ".." in file.parts or file.is_absolute():
            place = _outside(file, stem, commands)
        if place is not None:
            kept.append((file, place))
    return iter(sorted(kept, key=lambda pair: (f"{stem}.dist-info/" in pair[1], pair[1])))


def _outside(file: PackagePath, stem: str, commands: set[str]) -> str | None:
    """The place of a file that was installed elsewhere than among the packages; None for a command."""
    path = Path(str(file.locate())).resolve()
    prefix = Path(sys.prefix).resolve()
    if not path.is_relative_to(prefix):
        raise InputError(f"{path} belongs to {stem} and lies outside of {prefix}.", hint="Name wheels with --wheels.")
    below = path.relative_to(prefix)
    if below.parts[0] in ("bin", "Scripts"):
        base = (
            re.sub(r"(?:-script)?\.(?:exe|py|pyw|manifest)$", "", path.name)
            if below.parts[0] == "Scripts"
            else path.name
        )
        return None if base in commands else f"{stem}.data/scripts/{path.name}"
    return f"{stem}.data/data/{below.as_posix()}"


def _read(file: PackagePath, name: str) -> tuple[bytes, int]:
    path = Path(str(file.locate()))
    try:
        data, mode = path.read_bytes(), path.stat().st_mode & 0o777
    except OSError as error:
        raise InputError(
            f"{path} of {name} cannot be read: {error.strerror or error}.", hint="Install it again."
        ) from error
    recorded = file.hash
    known = recorded is not None and recorded.mode in hashlib.algorithms_guaranteed
    if recorded is not None and known and _encoded(hashlib.new(recorded.mode, data)) != recorded.value:
        raise InputError(f"{path} is not as {name} installed it.", hint="Install it again.")
    return data, mode


def _encoded(digest: hashlib._Hash) -> str:
    return base64.urlsafe_b64encode(digest.digest()).rstrip(b"=").decode("ascii")


def _put(archive: zipfile.ZipFile, place: str, data: bytes, mode: int) -> None:
    entry = zipfile.ZipInfo(place, _OLDEST)
    entry.compress_type = zipfile.ZIP_DEFLATED
    entry.external_attr = (0o100000 | (0o755 if mode & 0o111 else 0o644)) << 16
    archive.writestr(entry, data, compresslevel=3)
