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


def read_text(path: Path, *, limit: int = MAX_TEXT_BYTES) -> str:
    """The file's text, line ends untouched. Raises InputError saying what is wrong with the file and where."""
    try:
        size = path.stat().st_size
        if size > limit:
            raise InputError(
                f"{path} is {size:,} bytes long; at most {limit:,} are read.", hint="Split it into smaller files."
            )
        data = path.read_bytes()
    except OSError as error:
        raise InputError(f"{path} could not be read: {error.strerror or error}.", hint="Check the name.") from error
    return decode(data, str(path))


def decode(data: bytes, name: str) -> str:
    """``data`` as text: UTF-8, or what its byte order mark says. Raises InputError at the first bad byte."""
    encoding = "utf-8"
    for mark, named in _BOMS:
        if data.startswith(mark):
            data, encoding = data[len(mark) :], named
            break
    try:
        return data.decode(encoding)
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise InputError(
            f"{name} is not {encoding.upper()} text: line {line} has bytes that do not belong to it.",
            hint="Save the file as UTF-8 and try again.",
        ) from error
