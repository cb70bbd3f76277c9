"""Reads the head of a GGUF file, its metadata and the list of its tensors, and no weights.

The file may come from anybody, so nothing in it is believed: every count and length has a limit, every place is checked
against the size of the file, and what does not add up is a :class:`GgufError` that says what and where. Memory stays
under about 100 MB and time within seconds whatever the file says. The layout is that of ggml's GGUF specification.
"""

from __future__ import annotations

import os
import stat
import struct
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from studio.core.errors import ModelFileError
from studio.hub.gguf_types import TYPES

MAGIC = b"GGUF"
VERSIONS = (1, 2, 3)
DEFAULT_ALIGNMENT = 32

# Limits. Real files of the largest models stay well below each: 650,000 strings with a vocabulary of 201,088 tokens.
MOST_ENTRIES = 16_384
MOST_TENSORS = 65_536
MOST_BEFORE_ARCHITECTURE = 32
MOST_STRINGS = 2_097_152
MOST_INNER_ARRAYS = 65_536
MOST_HEAD_BYTES = 256 * 1024 * 1024
MOST_KEPT_BYTES = 32 * 1024 * 1024
LONGEST_KEY = 65_535
LONGEST_STRING = 16 * 1024 * 1024
LONGEST_NAME = 64
MOST_DIMENSIONS = 4
DEEPEST_ARRAY = 3
LARGEST_ALIGNMENT = 65_536
KEPT_NUMBERS = 1_024
LONGEST_SHOWN = 60
"""Characters of a name in a message: a file may have names that fill a window."""

_SCALARS = {0: "B", 1: "b", 2: "H", 3: "h", 4: "I", 5: "i", 6: "f", 7: "B", 10: "Q", 11: "q", 12: "d"}
_BOOL, _STRING, _ARRAY = 7, 8, 9


class GgufError(ModelFileError):
    """A GGUF file is cut off, damaged or says things that cannot be."""

    code = "gguf"


@dataclass(frozen=True, slots=True)
class Array:
    """An array in the metadata: how many items; short arrays of numbers are kept in ``numbers``.

    ``found`` has the place of every wanted string in it.
    """

    count: int
    numbers: tuple[float, ...] = ()
    found: Mapping[str, int] | None = None


Value = str | int | float | bool | Array


@dataclass(frozen=True, slots=True)
class Tensor:
    """One tensor: its shape as stored, its type's number, its place after the head, and its size.

    ``offset`` and ``size`` in bytes; ``size`` is None for a type that this studio does not know.
    """

    name: str
    shape: tuple[int, ...]
    kind: int
    offset: int
    size: int | None

    @property
    def weights(self) -> int:
        """How many numbers it holds."""
        count = 1
        for length in self.shape:
            count *= length
        return count


@dataclass(frozen=True, slots=True)
class Head:
    """What stands before the weights of one file. ``data_start`` and ``file_size`` in bytes."""

    path: Path
    version: int
    big_endian: bool
    metadata: Mapping[str, Value]
    tensors: tuple[Tensor, ...]
    data_start: int
    file_size: int


def require_file(path: Path) -> None:
    """Refuse what is no ordinary file: a pipe would keep us waiting for ever, and a device has no end.

    Raises GgufError, and OSError when there is nothing.
    """
    if not stat.S_ISREG(path.stat().st_mode):
        raise GgufError(f"{path} is no file.", hint="Choose the GGUF file itself.")


def read_head(path: Path, wanted: Collection[str] = ()) -> Head:
    """Read the head of ``path``, looking for the ``wanted`` strings in arrays of strings. Raises GgufError."""
    try:
        require_file(path)
        with path.open("rb", buffering=1024 * 1024) as file:
            size = os.fstat(file.fileno()).st_size
            return _Reader(path, file, size, frozenset(text.encode() for text in wanted)).head()
    except OSError as error:
        raise GgufError(
            f"{path} could not be read: {error.strerror or error}.", hint="Check the name and who may read the file."
        ) from error


def read_architecture(path: Path) -> str:
    """What architecture a file claims, read no further than to there; empty when it says none or cannot be read.

    Cheap enough for every model of a disk: the name stands before the vocabulary.
    """
    try:
        with path.open("rb") as file:
            return _Reader(path, file, os.fstat(file.fileno()).st_size, frozenset()).architecture()
    except (OSError, GgufError):
        return ""


class _Reader:
    """Reads one open file from start to end, knowing where it is and what it may still spend."""

    def __init__(self, path: Path, file: BinaryIO, size: int, wanted: frozenset[bytes]) -> None:
        self._path, self._file, self._size, self._wanted = path, file, size, wanted
        self._at = 0
        self._order = "<"
        self._count_code = "Q"
        self._kept = 0
        self._strings = 0
        self._arrays = 0

    def architecture(self) -> str:
        _version, _big_endian, _tensor_count, entry_count = self._counts()
        for index in range(min(entry_count, MOST_BEFORE_ARCHITECTURE)):
            key = self._key(f"metadata entry {index + 1}")
            value = self._value("a value of the metadata")
            if key == "general.architecture":
                return value if isinstance(value, str) else ""
        return ""

    def _counts(self) -> tuple[int, bool, int, int]:
        """(version, big-endian, how many tensors, how many metadata entries)."""
        version, big_endian = self._begin()
        # Version 1 had counts and lengths of 32 bits.
        self._order, self._count_code = ">" if big_endian else "<", "I" if version == 1 else "Q"
        tensor_count = self._count("the number of tensors", MOST_TENSORS)
        return version, big_endian, tensor_count, self._count("the number of metadata entries", MOST_ENTRIES)

    def head(self) -> Head:
        version, big_endian, tensor_count, entry_count = self._counts()
        metadata: dict[str, Value] = {}
        for index in range(entry_count):
            what = f"metadata entry {index + 1} of {entry_count}"
            key = self._key(what)
            shown = repr(key[:LONGEST_SHOWN] + ("…" if len(key) > LONGEST_SHOWN else ""))
            if key in metadata:
                raise self._wrong(f"the metadata has {shown} twice")
            metadata[key] = self._value(f"the metadata {shown}")
        tensors = [self._tensor(index + 1, tensor_count) for index in range(tensor_count)]
        alignment = self._alignment(metadata)
        data_start = -(-self._at // alignment) * alignment
        self._check_places(tensors, data_start, alignment)
        return Head(self._path, version, big_endian, metadata, tuple(tensors), data_start, self._size)

    def _begin(self) -> tuple[int, bool]:
        """(version, big-endian). The bytes of the version tell the byte order: no version needs more than 16 bits."""
        if self._size < 24 or self._file.read(4) != MAGIC:
            raise GgufError(
                f"{self._path} is not a GGUF file: it does not begin with a GGUF head.",
                hint="The studio runs models in the GGUF format of llama.cpp.",
            )
        raw = self._file.read(4)
        self._at = 8
        little, big = int.from_bytes(raw, "little"), int.from_bytes(raw, "big")
        if little in VERSIONS:
            return little, False
        if big in VERSIONS:
            return big, True
        raise GgufError(
            f"{self._path} says it is GGUF version {little}; versions 1 to 3 are known.",
            hint="Get the file again, or a newer studio.",
        )

    def _wrong(self, what: str, at: int | None = None) -> GgufError:
        return GgufError(
            f"{self._path} is damaged: {what} (near byte {self._at if at is None else at:,} of {self._size:,}).",
            hint="Get the file again, and compare its sha256 with that of its source.",
        )

    def _need(self, count: int, what: str) -> None:
        if self._at + count > self._size:
            raise GgufError(
                f"{self._path} is cut off: it ends after {self._size:,} bytes, in the middle of {what}, "
                f"which needs {count:,} bytes from byte {self._at:,} on.",
                hint="The file was not copied or downloaded to its end. Get it again.",
            )
        if self._at + count > MOST_HEAD_BYTES:
            raise self._wrong(f"the head has more than {MOST_HEAD_BYTES // 1024**2} MiB with {what}")

    def _take(self, count: int, what: str) -> bytes:
        self._need(count, what)
        data = self._file.read(count)
        if len(data) != count:
            raise self._wrong(f"the file became shorter while it was read, at {what}")
        self._at += count
        return data

    def _skip(self, count: int, what: str) -> None:
        self._need(count, what)
        self._file.seek(count, os.SEEK_CUR)
        self._at += count

    def _number(self, code: str, what: str) -> int:
        (value,) = struct.unpack(self._order + code, self._take(struct.calcsize("<" + code), what))
        return int(value)

    def _count(self, what: str, most: int) -> int:
        count = self._number(self._count_code, what)
        if count > most:
            raise self._wrong(f"{what} is given as {count:,}, and {most:,} is the most that can be")
        return count

    def _keep(self, count: int) -> None:
        self._kept += count
        if self._kept > MOST_KEPT_BYTES:
            raise self._wrong(f"the metadata has more than {MOST_KEPT_BYTES // 1024**2} MiB of text")

    def _key(self, what: str) -> str:
        length = self._count(f"the length of the name of {what}", LONGEST_KEY)
        self._keep(length)
        try:
            return self._take(length, f"the name of {what}").decode("utf-8")
        except UnicodeDecodeError as error:
            raise self._wrong(f"the name of {what} is not text") from error

    def _value(self, what: str) -> Value:
        kind = self._number("I", f"the type of {what}")
        if kind == _STRING:
            length = self._count(f"the length of {what}", LONGEST_STRING)
            self._keep(length)
            return self._take(length, what).decode("utf-8", "replace")
        if kind == _ARRAY:
            return self._array(what, 1)
        code = self._code(kind, what)
        (value,) = struct.unpack(self._order + code, self._take(struct.calcsize("<" + code), what))
        if kind == _BOOL:
            if value > 1:
                raise self._wrong(f"{what} should be true or false and is {value}")
            return bool(value)
        return float(value) if code in "fd" else int(value)

    def _code(self, kind: int, what: str) -> str:
        code = _SCALARS.get(kind)
        if code is None:
            raise self._wrong(f"{what} is of type {kind}, which GGUF does not have")
        return code

    def _array(self, what: str, depth: int) -> Array:
        if depth > DEEPEST_ARRAY:
            raise self._wrong(f"{what} has arrays in arrays more than {DEEPEST_ARRAY} deep")
        kind = self._number("I", f"the type of the items of {what}")
        if kind == _STRING:
            return self._texts(what)
        if kind == _ARRAY:
            count = self._items(what)
            self._arrays += count
            if self._arrays > MOST_INNER_ARRAYS:
                raise self._wrong(f"the metadata has more than {MOST_INNER_ARRAYS:,} arrays within arrays")
            for _ in range(count):
                self._array(what, depth + 1)
            return Array(count)
        code = self._code(kind, what)
        width = struct.calcsize("<" + code)
        count = self._count(f"the number of items of {what}", MOST_HEAD_BYTES // width)
        if count > KEPT_NUMBERS:
            self._skip(count * width, what)
            return Array(count)
        self._keep(count * 32)
        return Array(count, struct.unpack(f"{self._order}{count}{code}", self._take(count * width, what)))

    def _items(self, what: str) -> int:
        count = self._count(f"the number of items of {what}", MOST_STRINGS)
        self._strings += count
        if self._strings > MOST_STRINGS:
            raise self._wrong(f"the metadata has more than {MOST_STRINGS:,} strings")
        return count

    def _texts(self, what: str) -> Array:
        """An array of strings, which may have hundreds of thousands: only the wanted ones are remembered."""
        found: dict[str, int] = {}
        count = self._items(what)
        item = f"an item of {what}"
        for index in range(count):
            text = self._take(self._count(f"the length of {item}", LONGEST_STRING), item)
            if text in self._wanted:
                found.setdefault(text.decode(), index)
        return Array(count, found=found)

    def _tensor(self, number: int, total: int) -> Tensor:
        what = f"tensor {number:,} of {total:,}"
        length = self._count(f"the length of the name of {what}", LONGEST_NAME)
        name = self._take(length, f"the name of {what}").decode("utf-8", "replace")
        dimensions = self._number("I", f"the dimensions of {what}")
        if dimensions > MOST_DIMENSIONS:
            raise self._wrong(f"{what} ({name!r}) has {dimensions:,} dimensions, and {MOST_DIMENSIONS} is the most")
        shape = tuple(self._number(self._count_code, f"the shape of {what}") for _ in range(dimensions))
        kind = self._number("I", f"the type of {what}")
        offset = self._number("Q", f"the place of {what}")
        return Tensor(name, shape, kind, offset, self._bytes(f"{what} ({name!r})", shape, kind))

    def _bytes(self, what: str, shape: tuple[int, ...], kind: int) -> int | None:
        count = 1
        for length in shape:
            count *= length
        if count == 0 or count > 2**63:
            raise self._wrong(f"{what} has the shape {' x '.join(map(str, shape))}, which cannot be")
        known = TYPES.get(kind)
        if known is None:
            return None
        row = shape[0] if shape else 1
        if row % known.block:
            raise self._wrong(f"{what} has rows of {row:,}, which {known.name} cannot store")
        return count // known.block * known.size

    def _alignment(self, metadata: Mapping[str, Value]) -> int:
        value = metadata.get("general.alignment", DEFAULT_ALIGNMENT)
        good = isinstance(value, int) and not isinstance(value, bool) and 0 < value <= LARGEST_ALIGNMENT
        if not good or not isinstance(value, int) or value & (value - 1):
            raise self._wrong("the alignment (general.alignment) is not a power of two that can be")
        return value

    def _check_places(self, tensors: list[Tensor], data_start: int, alignment: int) -> None:
        """All tensors lie within the file, aligned, under names of their own, and none upon another."""
        if len({tensor.name for tensor in tensors}) != len(tensors):
            raise self._wrong("two tensors have the same name")
        end, before = 0, ""
        for tensor in sorted(tensors, key=lambda t: t.offset):
            if tensor.offset % alignment:
                raise self._wrong(f"the tensor {tensor.name!r} begins at {tensor.offset:,}, not on {alignment} bytes")
            if tensor.offset < end:
                raise self._wrong(f"the tensors {before!r} and {tensor.name!r} lie upon each other")
            end, before = tensor.offset + (tensor.size or 1), tensor.name
            if data_start + end > self._size:
                raise GgufError(
                    f"{self._path} is cut off: the tensor {tensor.name!r} ends at byte {data_start + end:,}, "
                    f"and the file has {self._size:,}.",
                    hint="The file was not copied or downloaded to its end. Get it again.",
                )
