"""Reading a file that somebody handed us: bounded in size, and as text only when it is text."""

from __future__ import annotations

import codecs
from pathlib import Path

from studio.core.errors import InputError

MAX_TEXT_BYTES = 64 * 1024 * 1024
_BOMS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32-le"),
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
BOMS = tuple(mark for mark, _ in _BOMS)


def read_text(path: Path, *, limit: int = MAX_TEXT_BYTES) -> str:
    """The file's text, line ends untouched. Raises InputError saying what is wrong with the file and where."""
    return decode(read_bytes(path, limit=limit), str(path))


def read_bytes(path: Path, *, limit: int = MAX_TEXT_BYTES) -> bytes:
    """The file's bytes. Raises InputError when it is longer than ``limit`` bytes, or cannot be read."""
    try:
        size = path.stat().st_size
        if size > limit:
            raise InputError(
                f"{path} is {size:,} bytes long; at most {limit:,} are read.", hint="Split it into smaller files."
            )
        return path.read_bytes()
    except OSError as error:
        raise InputError(f"{path} could not be read: {error.strerror or error}.", hint="Check the name.") from error


def decode(data: bytes, name: str) -> str:
    """``data`` as text: UTF-8, or what its byte order mark says. Raises InputError at the first bad byte."""
    return decode_as(data, name)[0]


def encode(text: str, marked: str) -> bytes:
    """Text as bytes, the way back from :func:`decode_as`; UTF-8 where an older encoding has no room for a character."""
    mark = next((mark for mark, named in _BOMS if named == marked), b"")
    try:
        return mark + text.encode(marked or "utf-8")
    except UnicodeEncodeError:
        return text.encode("utf-8")


def decode_as(data: bytes, name: str) -> tuple[str, str]:
    """``data`` as text, and the encoding that its byte order mark says; empty for UTF-8 without a mark.

    Raises InputError at the first bad byte.
    """
    encoding, marked = "utf-8", ""
    for mark, named in _BOMS:
        if data.startswith(mark):
            data, encoding, marked = data[len(mark) :], named, named
            break
    try:
        return data.decode(encoding), marked
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise InputError(
            f"{name} is not {encoding.upper()} text: line {line} has bytes that do not belong to it.",
            hint="Save the file as UTF-8 and try again.",
        ) from error
