"""Where the names of the columns stand: in the first row, below a disclaimer, or nowhere."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import chain, islice

from studio.exchange.labelled.names import Role, role_of
from studio.exchange.labelled.records import Record, Row, Skipped, is_blank
from studio.exchange.labelled.values import meaning_of, suggested

LOOKED_AT = 40
"""Rows that are looked at before a decision."""

_LONGEST_NAME = 80
_MOST_WORDS = 4
_FIRST_ROWS = 12


@dataclass(frozen=True, slots=True)
class Header:
    """``row`` is the number of the header's row, 0 for none; ``certain`` is False when a person should say."""

    row: int
    names: tuple[str, ...]
    certain: bool = True
    raw: str = ""


def find(head: Sequence[Row]) -> Header:
    """The header among the first rows of a table."""
    width = max((_width(row) for row in head), default=0)
    best, most = None, 0
    for row in head[:_FIRST_ROWS]:
        known = _known(row)
        fits = known >= 2 or _width(row) == width or row is head[0]
        # A label may be called as one of its own values is; in a first row of known names that takes nothing away.
        most_repeated = known - 1 if row is head[0] and known > 1 else 0
        if known > most and fits and _could_be_names(row) and _repeated(row, head) <= most_repeated:
            best, most = row, known
    if best is not None:
        return Header(best.number, _named(best.cells, width), raw=best.raw)
    first = head[0] if head else None
    if first is None or not _could_be_names(first) or _is_prose(first) or _repeated(first, head[1:]):
        return _none(head)
    return Header(first.number, _named(first.cells, width), certain=False, raw=first.raw)


def at(head: Sequence[Row], number: int) -> Header:
    """The header in the row of that number, or no header for 0."""
    width = max((_width(row) for row in head), default=0)
    for row in head:
        if row.number == number:
            return Header(number, _named(row.cells, width), raw=row.raw)
    return _none(head)


def _none(head: Sequence[Row]) -> Header:
    """No header: as many columns as most rows have."""
    sizes = Counter(_width(row) for row in head)
    return Header(0, _named((), sizes.most_common(1)[0][0] if sizes else 0))


def peek(rows: Iterator[Row | Skipped]) -> tuple[list[Row], Iterator[Row | Skipped]]:
    """The first rows, and all of them again."""
    first = [*islice(rows, LOOKED_AT)]
    return [item for item in first if isinstance(item, Row)], chain(first, rows)


def records(rows: Iterable[Row | Skipped], header: Header) -> Iterator[Record | Skipped]:
    """The rows below the header, their cells by name. A row that does not fit the header is named, not guessed at."""
    names = header.names
    for item in rows:
        if isinstance(item, Skipped):
            yield item
        elif item.number < header.row:
            yield Skipped(item.number, f"it stands above the header: {_short(item.raw)}")
        elif item.number > header.row and item.raw == header.raw:
            yield Skipped(item.number, "it is the header again")
        elif item.number > header.row:
            yield _record(item, names)


def _record(row: Row, names: tuple[str, ...]) -> Record | Skipped:
    cells = row.cells
    if len(cells) > len(names) and not all(is_blank(cell) for cell in cells[len(names) :]):
        return Skipped(
            row.number,
            f"it has {_width(row)} cells where the header has {len(names)}, perhaps an unquoted delimiter: "
            f"{_short(row.raw)}",
        )
    if all(is_blank(cell) for cell in cells):
        return Skipped(row.number, "it is empty")
    return Record(row.number, dict(zip(names, cells, strict=False)), row.raw)


def _named(cells: Sequence[object], width: int) -> tuple[str, ...]:
    """A name for each column: its own, numbered when it comes again, or its place when it has none.

    Beyond the last name no column is made up: more cells there mean that a row is broken. Without a header all are.
    """
    names: list[str] = []
    seen: dict[str, int] = {}
    texts = ["" if is_blank(cell) else " ".join(str(cell).split()).strip("\ufeff\u200b ") for cell in cells]
    while texts and not texts[-1] and len(texts) > width:
        texts.pop()
    for place, text in enumerate(texts or [""] * width, 1):
        name = text or f"column {place}"
        seen[name] = seen.get(name, 0) + 1
        names.append(name if seen[name] == 1 else f"{name} ({seen[name]})")
    return tuple(names)


def _known(row: Row) -> int:
    """How many cells are names of columns. Words that are labels too, such as safe, count only beside others."""
    found = [str(cell) for cell in row.cells if not is_blank(cell) and role_of(str(cell)) is not Role.OTHER]
    sure = [name for name in found if suggested(name, "", None) is None and meaning_of(name, None) is None]
    return len(found) if sure else 0


def _could_be_names(row: Row) -> bool:
    texts = [cell for cell in row.cells if not is_blank(cell)]
    return bool(texts) and all(
        isinstance(cell, str) and len(cell) <= _LONGEST_NAME and not _is_number(cell) for cell in texts
    )


def _is_prose(row: Row) -> bool:
    return any(len(str(cell).split()) > _MOST_WORDS for cell in row.cells)


def _repeated(first: Row, below: Sequence[Row]) -> int:
    """How many cells of a row are values that come again in their columns, as labels do and names do not."""
    below = [row for row in below if row.cells != first.cells]
    return sum(
        not is_blank(cell) and any(place < len(row.cells) and row.cells[place] == cell for row in below)
        for place, cell in enumerate(first.cells)
    )


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True


def _width(row: Row) -> int:
    """Cells up to the last that says something."""
    return max((place for place, cell in enumerate(row.cells, 1) if not is_blank(cell)), default=0)


def _short(text: str) -> str:
    line = " ".join(text.split())
    return line if len(line) <= 80 else line[:79] + "…"
