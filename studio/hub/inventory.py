"""The model files that the user added, remembered by path and identified by sha256.

A file is never copied or moved: a 20b has 12 GB. A hash is remembered with the size and the change time of the file and
holds only while both are the same.
"""

from __future__ import annotations

import builtins
import hashlib
import json
import os
import struct
import threading
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path

from studio import paths
from studio.core.errors import ModelFileError, NotFoundError
from studio.core.progress import Cancel, Progress
from studio.hub.gguf_reader import require_file

_MAGIC = b"GGUF"
_VERSIONS = (2, 3)
_CHUNK = 8 * 1024 * 1024
_LIST = "models.json"
_changing = threading.Lock()


@dataclass(frozen=True, slots=True)
class ModelPart:
    """One of the further files of a model that was split; llama.cpp finds it beside the first by its name."""

    path: Path
    size: int
    sha256: str
    changed_ns: int


@dataclass(frozen=True, slots=True)
class ModelEntry:
    """A model file. ``size`` in bytes; ``sha256`` is None until it was computed; ``present`` is checked on listing.

    ``parts`` are the further files of a split model; ``path``, ``size`` and ``sha256`` are those of the first.
    """

    name: str
    path: Path
    size: int
    sha256: str | None = None
    changed_ns: int = 0
    is_demo: bool = False
    present: bool = True
    parts: tuple[ModelPart, ...] = ()


class Inventory:
    """The list of model files, the demo model first. Kept as a small JSON file in ``folder``."""

    def __init__(self, folder: Path | None = None) -> None:
        self._file = (folder or paths.models_dir()) / _LIST

    def list(self) -> list[ModelEntry]:
        """Every known model, with whether its file is still there."""
        return [self.demo(), *(_checked(entry) for entry in self._read())]

    def demo(self) -> ModelEntry:
        """The model that ships with the studio."""
        path = paths.resource("demo.gguf")
        return ModelEntry("Demo model", path, path.stat().st_size, is_demo=True)

    def find(self, path: Path) -> ModelEntry:
        """The entry of a file, added or not. Raises ModelFileError when it is no model file."""
        wanted = _absolute(path)
        for entry in self.list():
            if entry.path.resolve() == wanted.resolve() and entry.present:
                return entry
        return looked_at(wanted)

    def add(
        self, path: Path, *, on_progress: Callable[[Progress], None] | None = None, cancel: Cancel | None = None
    ) -> ModelEntry:
        """Remember a model file, with its sha256. Raises ModelFileError when it is none or the hashing was stopped."""
        digest = file_sha256(looked_at(_absolute(path)).path, on_progress=on_progress, cancel=cancel)
        return self.remember([(path, digest)])

    def remember(self, files: Sequence[tuple[Path, str]], name: str | None = None) -> ModelEntry:
        """Remember a model by its files, in order, with their sha256 just computed. Raises ModelFileError."""
        first, *rest = [replace(looked_at(_absolute(path)), sha256=digest) for path, digest in files]
        parts = tuple(ModelPart(part.path, part.size, part.sha256 or "", part.changed_ns) for part in rest)
        entry = replace(first, name=name or first.name, parts=parts)
        with _changing:
            self._write([known for known in self._read() if known.path != entry.path] + [entry])
        return entry

    def remove(self, path: Path) -> None:
        """Forget a model. Its file stays. Raises NotFoundError when it was not in the list."""
        with _changing:
            known = self._read()
            left = [entry for entry in known if entry.path != path]
            if len(left) == len(known):
                raise NotFoundError(f"{path} is not in the list of models.")
            self._write(left)

    def _read(self) -> builtins.list[ModelEntry]:
        try:
            rows = json.loads(self._file.read_text(encoding="utf-8"))
            return [
                ModelEntry(
                    str(r["name"]),
                    Path(r["path"]),
                    int(r["size"]),
                    str(r["sha256"]),
                    int(r["changed_ns"]),
                    parts=tuple(
                        ModelPart(Path(p["path"]), int(p["size"]), str(p["sha256"]), int(p["changed_ns"]))
                        for p in r.get("parts", ())
                    ),
                )
                for r in rows
            ]
        except FileNotFoundError:
            return []
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise ModelFileError(
                f"The list of models {self._file} is damaged: {error}.",
                hint="Move that file away and add your models again; the model files themselves are not touched.",
            ) from error

    def _write(self, entries: builtins.list[ModelEntry]) -> None:
        rows = [{**asdict(entry), "path": str(entry.path)} for entry in entries]
        for row in rows:
            del row["is_demo"], row["present"]
            row["parts"] = [{**part, "path": str(part["path"])} for part in row["parts"]]
        try:
            paths.write_atomically(self._file, json.dumps(rows, indent=2).encode("ascii"))
        except OSError as error:
            raise ModelFileError(
                f"The list of models {self._file} could not be written: {error.strerror or error}.",
                hint="Check that its disk is writable and has room.",
            ) from error


def file_sha256(
    path: Path, *, on_progress: Callable[[Progress], None] | None = None, cancel: Cancel | None = None
) -> str:
    """Hex digest of a file, read in pieces. Raises ModelFileError when it cannot be read or ``cancel`` is set."""
    digest = hashlib.sha256()
    done = 0
    try:
        with path.open("rb") as file:
            total = os.fstat(file.fileno()).st_size
            while piece := file.read(_CHUNK):
                if cancel is not None and cancel.requested:
                    raise ModelFileError(f"The check of {path.name} was stopped.", hint="Add the file again.")
                digest.update(piece)
                done += len(piece)
                if on_progress is not None:
                    on_progress(Progress(done, total, f"Checking {path.name}"))
    except OSError as error:
        raise ModelFileError(f"{path} could not be read: {error.strerror or error}.") from error
    return digest.hexdigest()


def looked_at(path: Path) -> ModelEntry:
    """An entry for a file that starts like a GGUF; what is inside is the engine's to say. Raises ModelFileError."""
    if str(path).encode("utf-8", "replace").decode("utf-8") != str(path):
        raise ModelFileError(
            f"The name of {path} is not text in UTF-8, so it cannot be written down.", hint="Give it another name."
        )
    try:
        require_file(path)
        with path.open("rb") as file:
            head = file.read(8)
            facts = os.fstat(file.fileno())
    except OSError as error:
        raise ModelFileError(
            f"{path} could not be read: {error.strerror or error}.", hint="Check the name and who may read the file."
        ) from error
    if len(head) < 8 or head[:4] != _MAGIC:
        raise ModelFileError(
            f"{path} is not a GGUF file.", hint="The studio runs models in the GGUF format of llama.cpp."
        )
    (version,) = struct.unpack("<I", head[4:])
    if version not in _VERSIONS:
        raise ModelFileError(
            f"{path} says it is GGUF version {version}; versions 2 and 3 are known.",
            hint="Get the file again, or a newer studio.",
        )
    return ModelEntry(path.stem, path, facts.st_size, changed_ns=facts.st_mtime_ns)


def _absolute(path: Path) -> Path:
    """The whole path with links kept: a file of a cache has its telling name only where the link is."""
    return Path(os.path.abspath(path.expanduser()))


def _checked(entry: ModelEntry) -> ModelEntry:
    """The entry as it is now: without its hash when a file of it changed, not present when one is gone."""
    try:
        facts = entry.path.stat()
        parts = [part.path.stat() for part in entry.parts]
    except OSError:
        return replace(entry, present=False)
    if (facts.st_size, facts.st_mtime_ns) == (entry.size, entry.changed_ns) and [
        (part.st_size, part.st_mtime_ns) for part in parts
    ] == [(part.size, part.changed_ns) for part in entry.parts]:
        return entry
    return replace(entry, size=facts.st_size, changed_ns=facts.st_mtime_ns, sha256=None)
