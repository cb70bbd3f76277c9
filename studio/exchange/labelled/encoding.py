"""Which encoding a text file has: by its byte order mark, by being valid UTF-8, else by what its letters look like.

Bytes that do not belong to the encoding survive as lone surrogates (or U+FFFD in UTF-16), so that the row they are in
can be named instead of the whole file being refused: see :func:`is_damaged`.
"""

from __future__ import annotations

import codecs
import io
import re
from pathlib import Path
from typing import TextIO

from studio.core.errors import InputError
from studio.exchange.labelled.opened import open_bytes, reading

_SAMPLE = 1 << 16
_MARKS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_SINGLE_BYTE_WESTERN = re.compile(r"^(?:cp125[0247]|latin_?1|iso8859_?\d+|mac_\w+|cp\d{3}|hp_roman8|tis_620)$")
_MULTIBYTE = re.compile(rb"[\xc2-\xf4][\x80-\xbf]+")
_DAMAGE = re.compile("[\udc80-\udcff]")


def detect(path: Path) -> str:
    """The codec's name. Raises InputError when the file cannot be read."""
    with reading(path), open_bytes(path) as file:
        head = file.read(_SAMPLE)
        for mark, name in _MARKS:
            if head.startswith(mark):
                return name
        wide = _without_mark(head)
        if wide:
            return wide
        odd = _first_not_utf8(head, file)
    return "utf-8" if odd is None else of_bytes(odd)


def open_text(path: Path, encoding: str) -> TextIO:
    """The file's text, line ends untouched. Raises InputError for an encoding that does not exist."""
    try:
        codecs.lookup(encoding)
    except LookupError as error:
        raise InputError(f"There is no encoding {encoding!r}.", hint="Name one such as utf-8 or cp1252.") from error
    errors = "replace" if encoding.casefold().replace("_", "-").startswith(("utf-16", "utf-32")) else "surrogateescape"
    with reading(path):
        return io.TextIOWrapper(open_bytes(path), encoding=encoding, errors=errors, newline="")


def is_damaged(text: str) -> bool:
    """Whether the text holds bytes that did not belong to its encoding."""
    return not text.isascii() and _DAMAGE.search(text) is not None


def _without_mark(head: bytes) -> str:
    """UTF-16 without a mark: every second byte of Western text is zero."""
    if len(head) < 4:
        return ""
    even, odd = head[0::2].count(0), head[1::2].count(0)
    half = len(head) // 2
    if odd > half * 0.4 and even < half * 0.1:
        return "utf-16-le"
    return "utf-16-be" if even > half * 0.4 and odd < half * 0.1 else ""


def _first_not_utf8(head: bytes, file: io.BufferedIOBase | object) -> bytes | None:
    """Up to a sample of bytes around the first that is not UTF-8; None when all are."""
    decoder = codecs.getincrementaldecoder("utf-8")()
    block, before = head, b""
    while True:
        try:
            decoder.decode(block, final=not block)
        except UnicodeDecodeError:
            more: bytes = file.read(_SAMPLE)  # type: ignore[union-attr]  # any open binary file
            return before + block + more
        if not block:
            return None
        before = block[-1024:]
        block = file.read(_SAMPLE)  # type: ignore[union-attr]  # any open binary file


def of_bytes(data: bytes) -> str:
    """The encoding of bytes that are not all UTF-8."""
    sequences = _MULTIBYTE.findall(data)
    in_utf8 = sum(len(part) for part in sequences if _is_utf8(part))
    stray = sum(byte >= 0x80 for byte in data) - in_utf8
    if in_utf8 > 2 * stray:
        return "utf-8"  # broken in a few places: those rows are listed
    if _is_alone(data):
        return "cp1252"
    # The detector is loaded for the rare file that is not UTF-8.
    from charset_normalizer import from_bytes

    best = from_bytes(data).best()
    # Between the Western code pages statistics guess badly; of files in the wild nearly all are Windows-1252.
    if best is None or _SINGLE_BYTE_WESTERN.match(best.encoding):
        return "cp1252"
    return str(best.encoding)


def _is_alone(data: bytes) -> bool:
    """Whether most letters beyond ASCII stand alone among others, as accents do; other alphabets fill whole words.

    Short samples mislead the statistics, which then see Japanese in a few umlauts.
    """
    runs = re.findall(rb"[\x80-\xff]+", data)
    return sum(len(run) == 1 for run in runs) > 0.7 * len(runs)


def _is_utf8(part: bytes) -> bool:
    try:
        part.decode()
    except UnicodeDecodeError:
        return False
    return True
