"""From one record to its items by a mapping: content, labels as the file writes them, codes and tags."""

from __future__ import annotations

import ast
import json
import math
from collections.abc import Iterator
from collections.abc import Mapping as Map
from dataclasses import dataclass
from typing import Any

from studio.core.content import Content
from studio.core.errors import InputError
from studio.core.policy import ContentKind
from studio.exchange.content_files import content_from_json
from studio.exchange.labelled.mapping import UNNAMED, Item, Mapping
from studio.exchange.labelled.profile import plain_text
from studio.exchange.labelled.records import Record, Skipped, is_blank
from studio.exchange.labelled.values import codes_in, is_true

EMPTY_LIST = "(empty list)"
_LONGEST_LABEL = 200
_LONGEST_TAG = 80


@dataclass(frozen=True, slots=True)
class Parsed:
    """One item. ``originals`` are its labels as the file has them; ``open`` says that the file leaves some unsaid."""

    row: int
    part: int
    content: Content
    originals: tuple[str, ...]
    open: bool
    record: Record
    codes: tuple[str, ...] = ()
    tags: tuple[str, ...] = ()


def items_of(record: Record, mapping: Mapping) -> Iterator[Parsed | Skipped]:
    """The items of one record; a row without any content is named."""
    if mapping.confirm.get(UNNAMED) == "skip" and _spills(record, mapping):
        yield Skipped(record.row, "columns without a name hold something")
        return
    tags = tags_of(record, mapping)
    problems: list[str] = []
    found = 0
    for part, item in enumerate(mapping.items, 1):
        content, problem = content_of(record.values, item)
        originals, unsaid = originals_of(record.values, item, mapping)
        if content is None:
            if originals or not mapping.items[1:]:
                problems.append(problem)
            continue
        found += 1
        codes = code_list(record.values.get(item.codes)) if item.codes else ()
        extra = tuple(f"{item.codes}: {code}" for code in codes)
        yield Parsed(record.row, part, content, originals, unsaid, record, codes, (*tags, *extra))
    if problems or not found:
        yield Skipped(record.row, "; ".join(dict.fromkeys(problems)) or "it has no content")


def content_of(values: Map[str, Any], item: Item) -> tuple[Content | None, str]:
    """What is judged, or why there is nothing."""
    if item.kind is ContentKind.CONVERSATION:
        return _turns(values.get(item.turns), item.turns)
    if item.kind is ContentKind.COMPLETION:
        if is_blank(values.get(item.response)):
            return None, f"it has no content in {item.response!r}"
        return Content.completion(text_of(values.get(item.prompt)), text_of(values[item.response])), ""
    value = values.get(item.text)
    if is_blank(value):
        return None, f"it has no content in {item.text!r}"
    if isinstance(value, list | dict):
        return _turns(value, item.text)
    context = values.get(item.context) if item.context else None
    # The two parts stand as the set's authors put them before a model: context, a rule, the behaviour.
    text = text_of(value) if is_blank(context) else f"{text_of(context)}\n\n---\n\n{text_of(value)}"
    return Content.message(text), ""


def _turns(value: Any, column: str) -> tuple[Content | None, str]:
    if isinstance(value, str):
        value = _listed(value) or value
    if is_blank(value) or value == []:
        return None, f"it has no content in {column!r}"
    if isinstance(value, list):
        value = [_turn(turn) for turn in value]
    try:
        return content_from_json(value, f"{column!r}"), ""
    except InputError as error:
        return None, error.message


def _turn(turn: Any) -> Any:
    """A turn in the spelling of other tools: ``from`` and ``value``, or a bare text."""
    if isinstance(turn, str):
        return {"role": "", "content": turn}
    if isinstance(turn, dict) and "content" not in turn and "text" not in turn:
        text = next((turn[key] for key in ("value", "message", "utterance") if isinstance(turn.get(key), str)), None)
        who = next((turn[key] for key in ("from", "user", "sender") if isinstance(turn.get(key), str)), "")
        if text is not None:
            return {"role": who or turn.get("role", ""), "content": text}
    return turn


def originals_of(values: Map[str, Any], item: Item, mapping: Mapping) -> tuple[tuple[str, ...], bool]:
    """The labels as the file has them, and whether it leaves something unsaid."""
    if item.constant:
        return (item.constant,), False
    if item.flags:
        found = [(name, _flag(name, values.get(name), mapping)) for name in item.flags]
        said = tuple(text for _, text in found if text)
        return said, len(said) < len(found)
    value = values.get(item.label) if item.label else None
    if is_blank(value):
        return (), True
    if item.label in mapping.thresholds:
        return (_scored(item.label, value, mapping),), False
    if isinstance(value, str) and value.strip()[:1] in ("[", "{"):
        value = _listed(value) if _listed(value) is not None else value
    parts = value if isinstance(value, list) else [value]
    texts = tuple(dict.fromkeys(_label(part) for part in parts if not is_blank(part)))
    return (texts or (EMPTY_LIST,)), False


def _flag(name: str, value: Any, mapping: Mapping) -> str:
    """``S=1`` for a flag that is set, empty for one that is absent, blank or -1 (not judged)."""
    text = "" if is_blank(value) else plain_text(value)
    if text in ("", "-1"):
        return ""
    if name in mapping.thresholds:
        return _scored(name, value, mapping)
    truth = is_true(text)
    return f"{name}={text if truth is None else int(truth)}"


def _scored(name: str, value: Any, mapping: Mapping) -> str:
    threshold = mapping.thresholds[name]
    try:
        number = float(value)
    except (TypeError, ValueError):
        number = math.nan
    if math.isnan(number):
        return f"{name}={_label(value)}"
    if threshold is None:
        return f"{name} (score)"
    return f"{name}>={threshold:g}" if number >= threshold else f"{name}<{threshold:g}"


def _label(value: Any) -> str:
    text = " ".join(plain_text(value).split())
    return text if len(text) <= _LONGEST_LABEL else text[: _LONGEST_LABEL - 1] + "…"


def _listed(text: str) -> list[Any] | None:
    """A list that was written into a cell, as JSON or as Python writes it, or as the choices of one person."""
    for read in (json.loads, ast.literal_eval):
        try:
            value = read(text.strip())
        except (ValueError, TypeError, SyntaxError, RecursionError, MemoryError):
            continue
        if isinstance(value, dict) and value.keys() == {"choices"}:
            value = value["choices"]
        if isinstance(value, list):
            return value
    return None


def code_list(value: Any) -> tuple[str, ...]:
    """The codes in a cell, each once."""
    if is_blank(value):
        return ()
    parts = value if isinstance(value, list) else _listed(value) if isinstance(value, str) else None
    texts = [_label(part) for part in parts] if parts is not None else codes_in(str(value)) or [_label(value)]
    return tuple(dict.fromkeys(texts))


def tags_of(record: Record, mapping: Mapping) -> tuple[str, ...]:
    """One tag per column that says something: ``topic=Billing``; of a yes-or-no field within another only a yes."""
    found = []
    for name in mapping.tags:
        value = record.values.get(name)
        if is_blank(value) or value == []:
            continue
        if "." in name and isinstance(value, bool):
            found += [name] if value else []
            continue
        text = _label(value)
        found.append(f"{name}={text}"[:_LONGEST_TAG])
    return tuple(found)


def _spills(record: Record, mapping: Mapping) -> bool:
    used = {name for item in mapping.items for name in item.columns}
    return any(
        name.startswith("column ") and name not in used and not is_blank(value) for name, value in record.values.items()
    )


def text_of(value: Any) -> str:
    """A cell as the text of a content: untouched where it is one."""
    return "" if value is None else value if isinstance(value, str) else plain_text(value)
