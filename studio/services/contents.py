"""Contents from bytes that somebody handed in: plain text, or JSON with a conversation or a completion."""

from __future__ import annotations

import codecs
from pathlib import Path
from typing import BinaryIO

from studio.core.content import Content
from studio.core.errors import InputError
from studio.exchange.content_files import content_from_json, parse_json

MAX_CONTENT_BYTES = 8 * 1024 * 1024
_HEAD_BYTES = 64 * 1024
_UTF16 = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)


def read_content(source: BinaryIO, name: str, *, as_json: bool) -> Content:
    """The content in ``source``: UTF-8, or UTF-16 that says so by its byte order mark, as PowerShell writes it.

    Broken characters become U+FFFD, since what is judged is often broken. Raises InputError.
    """
    try:
        data = source.read(MAX_CONTENT_BYTES + 1)
    except OSError as error:
        raise InputError(f"{name} could not be read: {error.strerror or error}.", hint="Check the name.") from error
    if len(data) > MAX_CONTENT_BYTES:
        raise InputError(
            f"{name} is longer than the {MAX_CONTENT_BYTES:,} bytes that are judged at once.",
            hint="Judge a part of it.",
        )
    text = data.decode("utf-16" if data.startswith(_UTF16) else "utf-8", "replace")
    if not as_json:
        return Content.message(text)
    return content_from_json(parse_json(text.removeprefix("\ufeff"), name), name)


def read_content_file(path: Path) -> Content:
    """The content in a file; a file that ends in ``.json`` holds a conversation or a completion. Raises InputError."""
    try:
        file = path.open("rb")
    except OSError as error:
        raise InputError(f"{path} could not be read: {error.strerror or error}.", hint="Check the name.") from error
    with file:
        return read_content(file, str(path), as_json=path.suffix.casefold() == ".json")


def read_dropped_file(path: Path) -> Content:
    """A content file that was dropped on the window. Raises InputError, also for a picture, a model or the like."""
    try:
        with path.open("rb") as file:
            head = file.read(_HEAD_BYTES)
    except OSError as error:
        raise InputError(f"{path} could not be read: {error.strerror or error}.", hint="Drop a text file.") from error
    if b"\0" in head:
        raise InputError(
            f"{path.name} is not a text file.", hint="Drop plain text, or JSON with a conversation or a completion."
        )
    return read_content_file(path)


def parse_content(text: str) -> Content:
    """A conversation or completion from JSON text, as pasted into the window. Raises InputError."""
    return content_from_json(parse_json(text, "the pasted text"), "the pasted text")
