"""Editing a mapping as a person does who sees it: columns get roles, labels meanings, questions answers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from enum import StrEnum
from typing import Any

from studio.core.labels import Decision
from studio.core.policy import ContentKind
from studio.exchange.labelled.mapping import CONTENT, LABEL_COLUMN, Item, Mapping
from studio.exchange.labelled.questions import Question
from studio.exchange.labelled.values import Meaning

__all__ = ["Mapping", "Question", "Role", "all_alike", "answered", "likely", "meant", "placed", "roles", "said"]

UNKNOWN, SKIP = "unknown", "skip"
ALL_ITEMS = "(all items)"
"""The original label of items that a person gave one meaning, as their file has none."""


class Role(StrEnum):
    """What a column of a file is for."""

    CONTENT = "content"
    PROMPT = "prompt"
    RESPONSE = "response"
    CONTEXT = "context"
    TURNS = "turns"
    LABEL = "label"
    FLAG = "flag"
    CODES = "codes"
    WHY = "why"
    DECIDED_BY = "decided_by"
    ID = "id"
    TAG = "tag"
    UNUSED = "unused"


_FIELDS = {
    Role.CONTENT: "text",
    Role.PROMPT: "prompt",
    Role.RESPONSE: "response",
    Role.CONTEXT: "context",
    Role.TURNS: "turns",
    Role.LABEL: "label",
    Role.CODES: "codes",
}
_BESIDE = {Role.WHY: "why", Role.DECIDED_BY: "decided_by", Role.ID: "id"}


def roles(mapping: Mapping, columns: Sequence[str]) -> dict[str, tuple[Role, ...]]:
    """What each column is for; a row with several items may use a column for more than one thing."""
    found: dict[str, list[Role]] = {column: [] for column in columns}
    for item in mapping.items:
        for role, field in _FIELDS.items():
            found.setdefault(getattr(item, field), []).append(role)
        for flag in item.flags:
            found.setdefault(flag, []).append(Role.FLAG)
    for role, field in _BESIDE.items():
        found.setdefault(getattr(mapping, field), []).append(role)
    for tag in mapping.tags:
        found.setdefault(tag, []).append(Role.TAG)
    return {column: tuple(dict.fromkeys(found[column])) or (Role.UNUSED,) for column in columns}


def can_place(mapping: Mapping) -> bool:
    """Whether roles can be given one by one: one item a row, and no shape whose columns are settled."""
    return len(mapping.items) == 1 and mapping.group is None and mapping.shape == "generic"


def placed(mapping: Mapping, column: str, role: Role) -> Mapping:
    """The mapping with a column in another role. What a role can have once is taken from the column that had it.

    The meaning of labels is asked anew where another column says what is right.
    """
    item = _without(mapping.items[0], column)
    beside: dict[str, Any] = {field: "" for field in _BESIDE.values() if getattr(mapping, field) == column}
    changed = replace(
        mapping,
        tags=tuple(tag for tag in mapping.tags if tag != column),
        unmapped={name: why for name, why in mapping.unmapped.items() if name != column},
        **beside,
    )
    if role in _BESIDE:
        beside = {_BESIDE[role]: column}
        changed = replace(changed, **beside)
    elif role is Role.TAG:
        changed = replace(changed, tags=(*changed.tags, column))
    elif role is Role.FLAG:
        item = replace(item, flags=(*item.flags, column), label="", constant="")
    elif role in _FIELDS:
        item = _with_content(item, role, column)
    else:
        changed = replace(changed, unmapped={**changed.unmapped, column: "left out by hand"})
    confirm = dict(changed.confirm)
    # A question about columns is answered by placing them, and its answer must say the same.
    if CONTENT in confirm and item.text:
        confirm[CONTENT] = item.text
    if LABEL_COLUMN in confirm and item.label:
        confirm[LABEL_COLUMN] = item.label
    before = mapping.items[0]
    values = mapping.values if (item.label, item.flags) == (before.label, before.flags) else {}
    return replace(changed, items=(item,), confirm=confirm, values=values)


def meant(mapping: Mapping, label: str, word: str, labels: tuple[str, ...] = ()) -> Mapping:
    """The mapping with a meaning for an original label: a decision, ``unknown``, ``skip``, or empty for not said."""
    meaning = None
    if word:
        decision = None if word in (UNKNOWN, SKIP) else Decision(word)
        meaning = Meaning(decision, labels if decision is not None else (), word == SKIP)
    return replace(mapping, values={**mapping.values, label: meaning})


def all_alike(mapping: Mapping, word: str, labels: tuple[str, ...] = ()) -> Mapping:
    """The mapping of a file without labels whose items are all of one kind, as a person says."""
    items = tuple(replace(item, label="", flags=(), constant=ALL_ITEMS) for item in mapping.items)
    return meant(replace(mapping, items=items, values={}), ALL_ITEMS, word, labels)


def likely(mapping: Mapping, questions: Sequence[Question]) -> Mapping:
    """The mapping with the likely meaning of each label that has one and is still open."""
    for question in questions:
        if question.where[0] == "values" and question.suggested:
            mapping = meant(mapping, question.where[1], question.suggested)
    return mapping


def said(mapping: Mapping, label: str) -> tuple[str, tuple[str, ...]]:
    """What an original label means: the word as :func:`meant` takes it, and the policy's labels."""
    meaning = mapping.meaning(label)
    if meaning is None:
        return "", ()
    return SKIP if meaning.skip else UNKNOWN if meaning.decision is None else str(meaning.decision), meaning.labels


def answered(mapping: Mapping, question: Question, answer: str | float) -> Mapping:
    """The mapping with the answer to a question about the file or about a threshold."""
    part, name = question.where
    if part == "thresholds":
        return replace(mapping, thresholds={**mapping.thresholds, name: float(answer)})
    if part == "values":
        return meant(mapping, name, str(answer))
    return replace(mapping, confirm={**mapping.confirm, name: str(answer)})


def _without(item: Item, column: str) -> Item:
    empty: dict[str, Any] = {field: "" for field in _FIELDS.values() if getattr(item, field) == column}
    return replace(item, flags=tuple(flag for flag in item.flags if flag != column), **empty)


def _with_content(item: Item, role: Role, column: str) -> Item:
    named: dict[str, Any] = {_FIELDS[role]: column}
    item = replace(item, **named)
    if role is Role.LABEL:
        return replace(item, flags=(), constant="")
    if role is Role.CONTENT:
        return replace(item, kind=ContentKind.MESSAGE, prompt="", response="", turns="")
    if role in (Role.PROMPT, Role.RESPONSE):
        return replace(item, kind=ContentKind.COMPLETION, text="", turns="")
    if role is Role.TURNS:
        return replace(item, kind=ContentKind.CONVERSATION, text="", prompt="", response="")
    return item
