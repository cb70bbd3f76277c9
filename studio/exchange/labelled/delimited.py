"""Rows of a file with delimiters, streamed: quoted cells over several lines, and rows that are broken named as such."""

from __future__ import annotations

import csv
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, TextIO

from studio.exchange.labelled.encoding import is_damaged
from studio.exchange.labelled.records import Row, Skipped

LONGEST = 4 * 1024 * 1024
"""Characters in a line or cell; longer is a quotation mark that was never closed, or no table at all."""

ONE_COLUMN = "\x1f"
"""The delimiter of a file with one column: the unit separator, which no text holds."""

_MOST_REPAIRS = 100
"""How often a row with an open quotation mark is set aside; after that quotation marks are read as plain characters."""


@dataclass(frozen=True, slots=True)
class Dialect:
    """How cells are told apart. ``quote`` is empty when quotation marks are plain characters."""

    delimiter: str = ","
    quote: str = '"'
    escape: str = ""

    def options(self) -> dict[str, Any]:
        """As the csv module wants it."""
        quoting = csv.QUOTE_MINIMAL if self.quote else csv.QUOTE_NONE
        return {
            "delimiter": self.delimiter,
            "quotechar": self.quote or None,
            "quoting": quoting,
            "escapechar": self.escape or None,
            "doublequote": not self.escape,
        }


def rows(stream: TextIO, dialect: Dialect) -> Iterator[Row | Skipped]:
    """All rows that hold anything, numbered as a spreadsheet numbers them; lines without any character are no rows."""
    # The limit is the whole process's; nothing else here reads CSV with longer cells.
    csv.field_size_limit(LONGEST)
    lines = _Lines(stream)
    reader = csv.reader(lines, **dialect.options())
    number = repairs = 0
    while True:
        lines.taken.clear()
        broken = ""
        try:
            cells = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            cells, broken = [], str(error)
        number += 1
        if not broken and lines.ended and lines.asked_beyond:
            broken = "a quotation mark is opened and never closed"
        if broken:
            first = lines.taken[0] if lines.taken else ""
            yield Skipped(number, _why_broken(broken, first))
            lines.give_back()
            repairs += 1
            if repairs > _MOST_REPAIRS:
                dialect = Dialect(dialect.delimiter, "", dialect.escape)
            reader = csv.reader(lines, **dialect.options())
            continue
        raw = "".join(lines.taken).rstrip("\r\n")
        if not raw.strip():
            continue
        if is_damaged(raw):
            yield Skipped(number, "it has bytes that do not belong to the file's encoding")
        else:
            yield Row(number, tuple(cells), raw)


def _why_broken(problem: str, line: str) -> str:
    if "field larger" in problem:
        problem = f"a cell is longer than {LONGEST:,} characters, or a quotation mark is never closed"
    start = " ".join(line.split())[:60]
    return f"{problem}: {start}" if start else problem


class _Lines:
    """The lines of a stream, remembered until told to forget, so that they can be given back after a broken row."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self._back: deque[str] = deque()
        self.taken: list[str] = []
        self.ended = False
        self.asked_beyond = False

    def __iter__(self) -> _Lines:
        return self

    def __next__(self) -> str:
        if self._back:
            line = self._back.popleft()
        else:
            line = self._stream.readline(LONGEST)
            if len(line) >= LONGEST and not line.endswith(("\n", "\r")):
                self._drain()
                self.taken.append(line[:80] + "\n")
                raise csv.Error("field larger")
        if not line:
            # Only a row that has begun asks beyond the end: its quotation mark is still open.
            self.ended, self.asked_beyond = True, bool(self.taken)
            raise StopIteration
        self.taken.append(line)
        return line

    def give_back(self) -> None:
        """All lines of the broken row but its first."""
        self._back.extendleft(reversed(self.taken[1:]))
        self.ended = self.asked_beyond = False

    def _drain(self) -> None:
        while (rest := self._stream.readline(LONGEST)) and not rest.endswith(("\n", "\r")):
            pass
