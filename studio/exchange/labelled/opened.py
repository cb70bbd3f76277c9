"""Opening a file that somebody handed us: its digest, what kind it is by its first bytes, and its bytes unpacked."""

from __future__ import annotations

import gzip
import hashlib
import io
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO, cast

from studio.core.errors import InputError

KINDS = "CSV, TSV, JSON, JSONL, YAML, Parquet or Excel (.xlsx)"
_MAGIC = ((b"PAR1", "parquet"), (b"PK\x03\x04", "excel"))
_REFUSED = (
    (b"\xd0\xcf\x11\xe0", "an old Excel file (.xls)", "Save it as .xlsx or CSV and try again."),
    (b"%PDF", "a PDF", f"Give {KINDS}."),
    (b"SQLite format 3\0", "a database", f"Give {KINDS}."),
    (b"BZh", "packed with bzip2", "Unpack it first."),
    (b"\xfd7zXZ", "packed with xz", "Unpack it first."),
    (b"\x28\xb5\x2f\xfd", "packed with zstd", "Unpack it first."),
)


def sha256_of(path: Path) -> str:
    """Hex digest of the file. Raises InputError when it cannot be read."""
    with reading(path), path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


@contextmanager
def reading(path: Path) -> Iterator[None]:
    """Turn what the system and the unpacker say about the file into an InputError."""
    try:
        yield
    except (EOFError, gzip.BadGzipFile, zlib.error) as error:
        raise InputError(f"{path.name} is packed, and damaged: {error}.", hint="Get the file again.") from error
    except OSError as error:
        raise InputError(f"{path} could not be read: {error.strerror or error}.", hint="Check the name.") from error


def open_bytes(path: Path) -> BinaryIO:
    """The file's bytes, unpacked where they are gzip."""
    with path.open("rb") as file:
        packed = file.read(2) == b"\x1f\x8b"
    return cast("BinaryIO", io.BufferedReader(gzip.GzipFile(path, mode="rb"), 1 << 16)) if packed else path.open("rb")


def kind_of(path: Path) -> str:
    """``parquet``, ``excel``, ``json``, ``yaml`` or ``delimited``: by the first bytes, then by name.

    Raises InputError for an empty file and for kinds that hold no table.
    """
    with reading(path), open_bytes(path) as file:
        head = file.read(4096)
    if not head.strip(b"\0 \t\r\n\xef\xbb\xbf\xff\xfe"):
        raise InputError(f"{path.name} is empty.", hint="Choose a file that has rows.", title="There is nothing in it")
    for magic, kind in _MAGIC:
        if head.startswith(magic):
            return kind
    for magic, what, hint in _REFUSED:
        if head.startswith(magic):
            raise InputError(f"{path.name} is {what}.", hint=hint)
    name = path.name.casefold().removesuffix(".gz")
    if name.endswith((".yaml", ".yml")):
        return "yaml"
    if name.endswith((".json", ".jsonl", ".ndjson")):
        return "json"
    # JSON is often named otherwise; a table whose first cell begins with a brace is not seen.
    start = head.lstrip(b"\xef\xbb\xbf \t\r\n")[:1]
    named = name.endswith((".csv", ".tsv", ".tab", ".txt"))
    return "json" if start == b"{" or (start == b"[" and not named) else "delimited"
