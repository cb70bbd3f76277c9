"""What a query about golden examples means in SQL."""

from __future__ import annotations

import json
from typing import Any

from sqlalchemy import ColumnElement, Select, Text, and_, exists, func, literal_column, or_, select, type_coerce

from studio.core.content import clean
from studio.core.golden import GoldenQuery
from studio.store.schema import ContentRow, GoldenRow

_ESCAPE = "\\"
_NUL = "\0"


def conditions(policy_id: str, query: GoldenQuery) -> list[ColumnElement[bool]]:
    """The conditions on :class:`GoldenRow`, joined with its content where the query has words."""
    found: list[ColumnElement[bool]] = [GoldenRow.policy_id == policy_id]
    if query.held_out is not None:
        found.append(GoldenRow.held_out == query.held_out)
    if query.decisions:
        named = GoldenRow.expected.in_([str(decision) for decision in query.decisions if decision is not None])
        found.append(or_(named, GoldenRow.expected.is_(None)) if None in query.decisions else named)
    if query.label:
        found.append(_in_list(GoldenRow.labels, query.label))
    if query.tag:
        found.append(_in_list(GoldenRow.tags, query.tag))
    found += [_says(word) for word in clean(query.words).replace(_NUL, " ").split()]
    return found


def _in_list(column: Any, value: str) -> ColumnElement[bool]:
    items = func.json_each(type_coerce(column, Text)).table_valued("value")
    return exists(select(literal_column("1")).select_from(items).where(func.lower(items.c.value) == value.lower()))


def _says(word: str) -> ColumnElement[bool]:
    """SQLite folds the case of ASCII only, so a word with other letters is looked for in the usual ways to write it."""
    spellings = {word} if word.isascii() else {word, word.lower(), word.upper(), word.capitalize()}
    return or_(*(_holds(spelling) for spelling in sorted(spellings)))


def _holds(word: str) -> ColumnElement[bool]:
    document = type_coerce(ContentRow.document, Text)
    # SQLite reads a text out of JSON no further than a NUL, which content may hold: a space takes its place. Escaped
    # backslashes are spelled otherwise first, so that none of them can be part of what looks like a NUL.
    whole = func.replace(func.replace(document, r"\\", r"\u005c"), r"\u0000", " ")
    parts = func.json_tree(whole).table_valued("key", "value", "type")
    texts: Select[Any] = (
        select(literal_column("1"))
        .select_from(parts)
        .where(parts.c.type == "text", func.coalesce(parts.c.key, "") != "kind", _like(parts.c.value, word))
    )
    # The document as it is written narrows the rows quickly; but its names of fields are no content, so that the texts
    # in it are asked again.
    written = _like(document, json.dumps(word, ensure_ascii=False)[1:-1])
    beside = (_like(column, word) for column in (GoldenRow.why, GoldenRow.source, GoldenRow.original))
    return or_(and_(written, exists(texts)), *beside)


def _like(column: Any, word: str) -> ColumnElement[bool]:
    escaped = "".join(f"{_ESCAPE}{char}" if char in f"%_{_ESCAPE}" else char for char in word)
    return type_coerce(column, Text).like(f"%{escaped}%", escape=_ESCAPE)
