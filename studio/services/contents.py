"""Contents from bytes that somebody handed in: plain text, or JSON with a conversation or a completion."""

from __future__ import annotations

from pathlib import Path

from studio.core.content import Content
from studio.core.errors import InputError
from studio.exchange.content_files import content_from_json, parse_json

MAX_CONTENT_BYTES = 8 * 1024 * 1024


def read_content(data: bytes, name: str, *, as_json: bool) -> Content:
    """The content in ``data``. Broken UTF-8 becomes U+FFFD, since what is judged is often broken. Raises InputError."""
    if len(data) > MAX_CONTENT_BYTES:
        raise InputError(
            f"{name} is longer than the {MAX_CONTENT_BYTES:,} bytes that are judged at once.",
            hint="Judge a part of it.",
        )
    text = data.decode("utf-8", "replace")
    return content_from_json(parse_json(text, name), name) if as_json else Content.message(text)


def read_content_file(path: Path) -> Content:
    """The content in a file; a file that ends in ``.json`` holds a conversation or a completion. Raises InputError."""
    try:
        with path.open("rb") as file:
            data = file.read(MAX_CONTENT_BYTES + 1)
    except OSError as error:
        raise InputError(f"{path} could not be read: {error.strerror or error}.", hint="Check the name.") from error
    return read_content(data, path.name, as_json=path.suffix.casefold() == ".json")


def parse_content(text: str) -> Content:
    """A conversation or completion from JSON text, as pasted into the window. Raises InputError."""
    return content_from_json(parse_json(text, "the pasted text"), "the pasted text")
