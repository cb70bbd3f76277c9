"""Where a bundle is written to: a folder or a tar archive. Nothing that exists is overwritten, and none is half there.

All is written under another name beside its place and gets its own name at the very end.
"""

from __future__ import annotations

import contextlib
import hashlib
import io
import os
import shutil
import tarfile
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import IO, Any, Protocol

from studio.core.errors import InputError, StudioError
from studio.core.progress import Cancel
from studio.exchange.bundle import installer

_CHUNK = 8 * 1024 * 1024


class BundleError(StudioError):
    """A bundle could not be made, or is not what it should be."""

    title = "The bundle cannot be used"
    code = "bundle"


class Sink(Protocol):
    """Takes the files of a bundle one after the other."""

    def take(self, path: str, size: int, source: IO[bytes], *, program: bool = False) -> None:
        """Write one file of ``size`` bytes; ``program``: it can be run."""


class _Folder:
    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def take(self, path: str, size: int, source: IO[bytes], *, program: bool = False) -> None:
        place = self._folder / path
        place.parent.mkdir(parents=True, exist_ok=True)
        with place.open("xb") as file:
            shutil.copyfileobj(source, file, _CHUNK)
            file.flush()
            os.fsync(file.fileno())
        place.chmod(0o755 if program else 0o644)


class _Tar:
    def __init__(self, archive: tarfile.TarFile, root: str) -> None:
        self._archive, self._root = archive, root

    def take(self, path: str, size: int, source: IO[bytes], *, program: bool = False) -> None:
        entry = tarfile.TarInfo(f"{self._root}/{path}")
        entry.size, entry.mode = size, 0o755 if program else 0o644
        self._archive.addfile(entry, source)


class Writer:
    """Writes files into a sink, and keeps what the manifest says of them."""

    def __init__(self, sink: Sink, told: Callable[[str, int], None], cancel: Cancel | None) -> None:
        self._sink, self._told, self._cancel = sink, told, cancel
        self.entries: list[dict[str, Any]] = []

    def text(self, path: str, text: str, *, program: bool = False, crlf: bool = False) -> None:
        """Write a text as UTF-8."""
        self.data(path, (text.replace("\n", "\r\n") if crlf else text).encode("utf-8"), program=program)

    def data(self, path: str, data: bytes, *, program: bool = False) -> None:
        """Write some bytes."""
        self._take(path, len(data), io.BytesIO(data), program=program)

    def copy(self, path: str, source: Path, *, sha256: str = "") -> None:
        """Copy a file. Raises BundleError when its sha256 is known and is another."""
        with source.open("rb") as file:
            got = self._take(path, os.fstat(file.fileno()).st_size, file)
        if sha256 and got != sha256:
            raise BundleError(
                f"{source} has the sha256 {got} where {sha256} was found before: its content changed.",
                hint="Run `moderation-studio models verify`, then make the bundle again.",
            )

    def manifest(self, data: bytes) -> None:
        """Write the manifest, which does not list itself."""
        self._sink.take(installer.MANIFEST, len(data), io.BytesIO(data))

    def _take(self, path: str, size: int, source: IO[bytes], *, program: bool = False) -> str:
        if not installer.is_safe(path) or len(self.entries) >= installer.MOST_FILES:
            raise BundleError(f"{path!r} cannot be the name of a file of a bundle, or there are too many of them.")
        hashing = _Hashing(source, lambda done: self._told(path, done), self._cancel)
        self._sink.take(path, size, hashing, program=program)  # type: ignore[arg-type]  # read is all that is used
        if hashing.size != size:
            raise BundleError(f"{path} changed while it was copied.", hint="Make the bundle again.")
        self.entries.append({"path": path, "size": size, "sha256": hashing.digest.hexdigest()})
        return hashing.digest.hexdigest()


class _Hashing:
    """A stream that hashes what is read from it."""

    def __init__(self, source: IO[bytes], told: Callable[[int], None], cancel: Cancel | None) -> None:
        self._source, self._told, self._cancel = source, told, cancel
        self.digest, self.size = hashlib.sha256(), 0

    def read(self, count: int = -1) -> bytes:
        if self._cancel is not None and self._cancel.requested:
            raise BundleError("Making the bundle was stopped.", hint="Nothing was left. Start it again at any time.")
        piece = self._source.read(count)
        self.digest.update(piece)
        self.size += len(piece)
        self._told(len(piece))
        return piece


@contextlib.contextmanager
def opened(out: Path, *, archive: bool, needed: int) -> Iterator[Sink]:
    """A sink that becomes ``out`` when the block ends well, and is gone when it does not.

    ``needed`` bytes must be free there. Raises InputError when ``out`` exists and BundleError when the disk fails.
    """
    try:
        _check(out, needed)
        with tempfile.TemporaryDirectory(
            prefix=f".{out.name}.part-", dir=out.parent, ignore_cleanup_errors=True
        ) as made:
            part = Path(made) / out.name
            if archive:
                with part.open("xb") as file, tarfile.open(fileobj=file, mode="w", format=tarfile.PAX_FORMAT) as packed:
                    yield _Tar(packed, root_of(out))
            else:
                part.mkdir()
                yield _Folder(part)
            _check(out, 0)
            part.rename(out)
    except OSError as error:
        raise BundleError(
            f"{error.filename or out} cannot be read or written: {error.strerror or error}.",
            hint="Check that the disk has room and takes large files (FAT32 takes none over 4 GB).",
        ) from error


def root_of(archive: Path) -> str:
    """The folder that an archive unpacks to."""
    return archive.name.removesuffix(".tar") or "moderation-studio-bundle"


def _check(out: Path, needed: int) -> None:
    if os.path.lexists(out):
        raise InputError(f"{out} is there already.", hint="Name a place where nothing is; nothing is overwritten.")
    if not out.parent.is_dir():
        raise InputError(f"The folder {out.parent} is not there.", hint="Make it, or name another place.")
    free = shutil.disk_usage(out.parent).free
    if free < needed:
        raise BundleError(
            f"{out.parent} has {free / 1e9:.1f} GB free; the bundle needs up to {needed / 1e9:.1f} GB.",
            hint="Make room, or name a place on another disk.",
        )
