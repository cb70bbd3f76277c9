"""Sheets in sections: a row with a code alone, such as SP2, labels all rows below it until the next one.

The trap: the only named column holds the *model's* answer, and figures about it stand below the last section.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from itertools import chain, islice
from typing import Any

from studio.exchange.labelled.header import LOOKED_AT
from studio.exchange.labelled.names import Role, role_of
from studio.exchange.labelled.records import Record, Row, Skipped, is_blank

SHAPE = "spam_sections"
SECTION, CONTENT, ANSWER, NUMBER = "section", "content", "model answer", "number"

_SECTION = re.compile(r"^\W*(?P<code>(?:[A-Z]{1,2}-)?[A-Z]{1,4}\d{1,2})\b[\s:.)\-–—]*(?P<words>[^\n]{0,40})$")
_FIGURES = re.compile(
    r"^\W*(?:(?:overall|total|macro|micro|weighted|average|avg|mean)\W*)*"
    r"(?:accuracy|precision|recall|f\W?1|f\W?score|fpr|fnr|tpr|tnr|tp|fp|tn|fn|(?:true|false)\s+(?:positive|negative)s?"
    r"|total|correct|incorrect|wrong|count|support|metrics?|summary|results?|score|auc|specificity|sensitivity"
    r"|performance|statistics|confusion|percentage|error\s+rate|number\s+of)\b",
    re.IGNORECASE,
)
_NUMBER = re.compile(r"^[\d\s.,/%#()-]*$")
_LONGEST_FIGURE = 60


def matches(head: Sequence[Row]) -> bool:
    """Whether the first rows have sections, and no header that names a text and its label."""
    return any(_code_of(row) for row in head) and not any(_is_full_header(row) for row in head)


def view(rows: Iterable[Row | Skipped]) -> Iterator[Record | Skipped]:
    """Records with section, content and the model's answer; headings, figures and empty rows named."""
    stream = iter(rows)
    first = [*islice(stream, LOOKED_AT)]
    head = [item for item in first if isinstance(item, Row)]
    answer, top = _answer_column(head)
    content = _content_column(head, answer)
    section, figures = "", False
    for item in chain(first, stream):
        if isinstance(item, Skipped):
            yield item
            continue
        code = _code_of(item)
        if code:
            section, figures = code, False
            yield Skipped(item.number, f"it is the heading of the section {code}")
        elif item.number == top:
            continue
        elif all(is_blank(cell) for cell in item.cells):
            yield Skipped(item.number, "it is empty")
        elif _is_figures(item, answer) or (figures and not _answered(item, answer)):
            figures = True
            yield Skipped(item.number, f"it holds figures, not content: {' '.join(item.raw.split())[:60]}")
        else:
            yield _record(item, section, content, answer)


def _record(row: Row, section: str, content: int, answer: int) -> Record | Skipped:
    values: dict[str, Any] = {SECTION: section} if section else {}
    text = _cell(row, content)
    if not text:
        others = [_cell(row, place) for place in range(len(row.cells)) if place not in (content, answer)]
        text = max((other for other in others if not _NUMBER.match(other)), key=len, default="")
    if not text:
        return Skipped(row.number, "it has no content")
    values[CONTENT] = row.cells[content] if _cell(row, content) else text
    if _answered(row, answer):
        values[ANSWER] = _cell(row, answer)
    if content > 0 and _NUMBER.match(_cell(row, 0)):
        values[NUMBER] = _cell(row, 0)
    return Record(row.number, values, row.raw)


def _code_of(row: Row) -> str:
    """The section's code when the row is its heading: a code alone in the first column."""
    filled = [place for place, cell in enumerate(row.cells) if not is_blank(cell)]
    if filled != [0]:
        return ""
    match = _SECTION.match(str(row.cells[0]).strip())
    return match["code"] if match else ""


def _is_full_header(row: Row) -> bool:
    roles = {role_of(str(cell)) for cell in row.cells if not is_blank(cell)}
    texts = {Role.TEXT, Role.PROMPT, Role.RESPONSE}
    labels = {Role.LABEL, Role.PROMPT_LABEL, Role.RESPONSE_LABEL, Role.MODEL, Role.CODES}
    return bool(roles & texts) and bool(roles & labels)


def _answer_column(head: Sequence[Row]) -> tuple[int, int]:
    """Place of the named column and number of the row that names it; -1 and 0 when there is none."""
    for row in head:
        for place, cell in enumerate(row.cells):
            if not is_blank(cell) and len(str(cell)) < 80 and role_of(str(cell)) in (Role.MODEL, Role.LABEL):
                return place, row.number
        if _code_of(row):
            break
    return -1, 0


def _content_column(head: Sequence[Row], answer: int) -> int:
    """The column with the most text."""
    width = max((len(row.cells) for row in head), default=1)
    rows = [row for row in head if not _code_of(row)]
    places = [place for place in range(width) if place != answer] or [0]
    return max(places, key=lambda place: sum(len(_cell(row, place)) for row in rows))


def _is_figures(row: Row, answer: int) -> bool:
    texts = [text for place in range(len(row.cells)) if (text := _cell(row, place))]
    if _answered(row, answer) or any(len(text) > _LONGEST_FIGURE for text in texts):
        return False
    return any(_FIGURES.match(text) for text in texts) or all(_NUMBER.match(text) for text in texts)


def _answered(row: Row, answer: int) -> bool:
    """Whether the model's answer is there, and is not a figure of the footer."""
    text = _cell(row, answer) if answer >= 0 else ""
    return bool(text) and not _NUMBER.match(text)


def _cell(row: Row, place: int) -> str:
    return "" if not 0 <= place < len(row.cells) or is_blank(row.cells[place]) else str(row.cells[place]).strip()
