"""Which delimiter and quotation a file has: the one under which its rows have the same number of cells."""

from __future__ import annotations

import io
from collections import Counter
from itertools import islice

from studio.exchange.labelled.delimited import ONE_COLUMN, Dialect, rows
from studio.exchange.labelled.names import Role, role_of
from studio.exchange.labelled.records import Row

SAMPLE = 1 << 18
"""Characters that are looked at."""

_ROWS = 300
_ENOUGH = 0.5
_OF_SENTENCES = 0.8
_DELIMITERS = (",", "\t", ";", "|")


def detect(sample: str, *, tabs: bool) -> Dialect:
    """The dialect of a file that begins with ``sample``; ``tabs`` when its name says that it has tabs."""
    if len(sample) >= SAMPLE:
        sample = sample[: sample.rfind("\n") + 1] or sample
    best, score = Dialect(ONE_COLUMN), 0.0
    for dialect in _candidates(sample, tabs):
        found = _score(sample, dialect)
        if found > score + 1e-9:
            best, score = dialect, found
    return best


def _candidates(sample: str, tabs: bool) -> list[Dialect]:
    """In the order in which they win when two fit as well."""
    found = []
    for delimiter in sorted(_DELIMITERS, key=lambda item: item != "\t") if tabs else _DELIMITERS:
        if delimiter not in sample:
            continue
        found.append(Dialect(delimiter))
        if '\\"' in sample:
            found.append(Dialect(delimiter, escape="\\"))
        if delimiter == "\t" and '"' in sample:
            found.append(Dialect(delimiter, quote=""))
    return found


def _score(sample: str, dialect: Dialect) -> float:
    """The share of rows with the most common number of cells, above 1 when a header is seen; 0 when it does not fit."""
    head = [*islice(rows(io.StringIO(sample, newline=""), dialect), _ROWS)]
    table = [item.cells for item in head if isinstance(item, Row)]
    if not table:
        return 0.0
    if len(table[0]) == 1 and role_of(str(table[0][0])) is not Role.OTHER:
        return 0.0  # a header of one column: the delimiter belongs to the texts
    sizes = Counter(len(cells) for cells in table)
    most, count = max(sizes.items(), key=lambda item: (item[1], item[0]))
    headed = any(sum(role_of(str(cell)) is not Role.OTHER for cell in cells) >= 2 for cells in table[:3])
    if headed:
        return 1.0 + count / len(head)
    mark = dialect.delimiter
    if mark in ",;" and sample.count(mark + " ") > _OF_SENTENCES * sample.count(mark):
        return 0.0  # commas of sentences
    share = count / len(head)
    return share if most > 1 and share >= _ENOUGH else 0.0
