"""The studio's own form of a golden set, for JSONL and CSV: all fields of an example, and back without a loss."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from studio.core.content import Content, Turn
from studio.core.errors import InputError
from studio.core.golden import GoldenExample
from studio.core.labels import Decision
from studio.core.policy import ContentKind
from studio.exchange.labelled.records import is_blank

STUDIO = "studio"
COLUMNS = (
    "id", "policy_id", "kind", "content", "prompt", "response", "messages", "expected", "labels", "why", "decided_by",
    "tags", "original", "source", "source_sha256", "source_row", "created_at", "held_out",
)  # fmt: skip
"""In this order; ``messages``, ``labels`` and ``tags`` are lists, in CSV written as JSON."""

LATER = ("held_out",)
"""Columns that earlier studios did not write."""

_JSON = ("messages", "labels", "tags", "held_out")


def fields(example: GoldenExample) -> dict[str, Any]:
    """All of an example, by column; null is what nobody has said."""
    content = example.content
    return {
        "id": example.id,
        "policy_id": example.policy_id,
        "kind": str(content.kind),
        "content": content.text,
        "prompt": content.prompt,
        "response": content.response,
        "messages": [{"role": turn.speaker, "content": turn.text} for turn in content.turns],
        "expected": None if example.expected is None else str(example.expected),
        "labels": list(example.labels),
        "why": example.why,
        "decided_by": example.decided_by,
        "tags": list(example.tags),
        "original": example.original,
        "source": example.source,
        "source_sha256": example.source_sha256,
        "source_row": example.source_row,
        "created_at": None if example.created_at is None else example.created_at.isoformat(),
        "held_out": example.held_out,
    }


def cells(example: GoldenExample) -> list[str]:
    """The same as the cells of a CSV row."""
    found = fields(example)
    return [
        json.dumps(found[name], ensure_ascii=False) if name in _JSON else "" if found[name] is None else found[name]
        for name in COLUMNS
    ]


def example(values: Mapping[str, Any], policy_id: str) -> GoldenExample:
    """The example of a row, for the policy of that id. Raises InputError naming the field that is wrong."""
    expected = values.get("expected")
    if not is_blank(expected) and expected not in tuple(Decision):
        raise InputError(f"expected is {expected!r}, which is no decision.")
    return GoldenExample(
        id=_text(values, "id"),
        policy_id=policy_id,
        content=_content(values),
        expected=None if is_blank(expected) else Decision(str(expected)),
        labels=_texts(values, "labels"),
        why=_text(values, "why"),
        decided_by=_text(values, "decided_by"),
        tags=_texts(values, "tags"),
        original=_text(values, "original"),
        source=_text(values, "source"),
        source_sha256=_text(values, "source_sha256"),
        source_row=_text(values, "source_row"),
        created_at=_moment(values.get("created_at")),
        held_out=_flag(values, "held_out"),
    )


def _content(values: Mapping[str, Any]) -> Content:
    kind = values.get("kind")
    if kind == ContentKind.COMPLETION:
        return Content.completion(_text(values, "prompt"), _text(values, "response"))
    if kind == ContentKind.CONVERSATION:
        turns = _list(values, "messages")
        if not all(isinstance(turn, dict) for turn in turns):
            raise InputError("messages is no list of turns.")
        return Content.conversation(tuple(Turn(_text(turn, "role"), _text(turn, "content")) for turn in turns))
    if kind != ContentKind.MESSAGE:
        raise InputError(f"kind is {kind!r}, which is no kind of content.")
    return Content.message(_text(values, "content"))


def _text(values: Mapping[str, Any], name: str) -> str:
    value = values.get(name)
    if value is not None and not isinstance(value, str):
        raise InputError(f"{name} is not a text.")
    return value or ""


def _flag(values: Mapping[str, Any], name: str) -> bool:
    value = values.get(name)
    if is_blank(value):
        return False
    if str(value).casefold() not in ("true", "false"):
        raise InputError(f"{name} is {value!r}, which is neither true nor false.")
    return str(value).casefold() == "true"


def _list(values: Mapping[str, Any], name: str) -> list[Any]:
    value = values.get(name)
    if isinstance(value, str):
        try:
            value = json.loads(value or "[]")
        except (ValueError, RecursionError) as error:
            raise InputError(f"{name} is not a list in JSON.") from error
    if value is None:
        return []
    if not isinstance(value, list):
        raise InputError(f"{name} is not a list.")
    return value


def _texts(values: Mapping[str, Any], name: str) -> tuple[str, ...]:
    found = _list(values, name)
    if not all(isinstance(item, str) for item in found):
        raise InputError(f"{name} is not a list of texts.")
    return tuple(found)


def _moment(value: Any) -> datetime | None:
    if is_blank(value):
        return None
    try:
        moment = datetime.fromisoformat(str(value))
    except ValueError as error:
        raise InputError(f"created_at is {value!r}, which is no moment in ISO form.") from error
    if moment.tzinfo is None:
        raise InputError(f"created_at is {value!r}, without a time zone.")
    return moment
