"""From records to items by a mapping: what is judged, what the file says is right, and what nobody can say yet."""

from __future__ import annotations

import ast
import json
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from collections.abc import Mapping as Map
from dataclasses import dataclass, replace
from typing import Any

from studio.core.content import Content, Turn
from studio.core.errors import InputError
from studio.core.labels import Decision
from studio.core.policy import ContentKind, Policy
from studio.exchange.content_files import content_from_json
from studio.exchange.labelled import own
from studio.exchange.labelled.mapping import (
    CONTENT,
    HUMAN,
    JUDGED,
    LABEL_COLUMN,
    MACHINE_LABELS,
    UNNAMED,
    Group,
    Item,
    Mapping,
)
from studio.exchange.labelled.profile import plain_text
from studio.exchange.labelled.records import Record, Skipped, is_blank
from studio.exchange.labelled.shapes.label_studio import DISAGREE, joined
from studio.exchange.labelled.values import Meaning, codes_in, is_true

EMPTY_LIST = "(empty list)"
_MACHINE_TAGS = frozenset({"human_annotation=False", "human_annotation=false", "human_annotation=0"})
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


def parse(source: Callable[[], Iterable[Record | Skipped]], mapping: Mapping) -> Iterator[Parsed | Skipped]:
    """The items of a table under the mapping; every row is in an item or is named as skipped.

    ``source`` is called once, and twice for rows that belong together: first to count them, so that a conversation is
    handed on as soon as its last row was read.
    """
    mapping = _answered(mapping)
    if mapping.group is None:
        for item in source():
            if isinstance(item, Skipped):
                yield item
            elif mapping.shape == own.STUDIO:
                yield _own(item)
            else:
                yield from _items(item, mapping)
        return
    yield from _grouped(source, mapping, mapping.group)


def resolve(item: Parsed, mapping: Mapping, policy: Policy | None) -> Meaning:
    """What the item's labels come to: one that violates decides; what is unsaid or unanswered keeps it unknown."""
    if mapping.confirm.get(MACHINE_LABELS) == "unknown" and _MACHINE_TAGS & set(item.tags):
        return Meaning(None)
    if mapping.confirm.get(HUMAN) == "model":
        return Meaning(None)
    meanings = [mapping.meaning(label) for label in item.originals]
    if any(meaning is not None and meaning.skip for meaning in meanings):
        return Meaning(None, skip=True)
    decided = [meaning for meaning in meanings if meaning is not None and meaning.decision is not None]
    for decision in (Decision.VIOLATES, Decision.NEEDS_REVIEW, Decision.ALLOWED):
        these = [meaning for meaning in decided if meaning.decision is decision]
        unsaid = item.open or len(decided) < len(meanings)
        if these and (decision is Decision.VIOLATES or not unsaid):
            labels = [label for meaning in these for label in meaning.labels] + _codes(item, decision, policy)
            return Meaning(decision, tuple(dict.fromkeys(labels)))
    return Meaning(None)


def _codes(item: Parsed, decision: Decision, policy: Policy | None) -> list[str]:
    """Labels of the policy that the file names beside the decision, as far as they decide the same."""
    if policy is None:
        return []
    found = [policy.label(code) for code in item.codes]
    return [label.id for label in found if label is not None and label.decision.decision is decision]


def _answered(mapping: Mapping) -> Mapping:
    """The mapping with a person's answers about columns put in their place."""
    label, content = mapping.confirm.get(LABEL_COLUMN), mapping.confirm.get(CONTENT)
    judged = mapping.confirm.get(JUDGED)
    items = mapping.items
    if label:
        items = tuple(replace(item, label="" if label == "none" else label, flags=()) for item in items)
    if content:
        items = tuple(replace(item, text=content) for item in items)
    if judged == "prompt":
        items = tuple(
            replace(item, kind=ContentKind.MESSAGE, text=item.prompt, prompt="", response="") for item in items
        )
    return replace(mapping, items=items)


def _own(record: Record) -> Parsed | Skipped:
    try:
        example = own.example(record.values, "")
    except InputError as error:
        return Skipped(record.row, error.message)
    said = () if example.expected is None else (str(example.expected),)
    return Parsed(record.row, 1, example.content, said, not said, record, example.labels, example.tags)


def _items(record: Record, mapping: Mapping) -> Iterator[Parsed | Skipped]:
    """The items of one record; a row without any content is named."""
    if mapping.confirm.get(UNNAMED) == "skip" and _spills(record, mapping):
        yield Skipped(record.row, "columns without a name hold something")
        return
    tags = _tags(record, mapping)
    problems: list[str] = []
    found = 0
    for part, item in enumerate(mapping.items, 1):
        content, problem = _content(record.values, item)
        originals, unsaid = _originals(record.values, item, mapping)
        if content is None:
            if originals or not mapping.items[1:]:
                problems.append(problem)
            continue
        found += 1
        codes = _code_list(record.values.get(item.codes)) if item.codes else ()
        extra = tuple(f"{item.codes}: {code}" for code in codes)
        yield Parsed(record.row, part, content, originals, unsaid, record, codes, (*tags, *extra))
    if problems or not found:
        yield Skipped(record.row, "; ".join(dict.fromkeys(problems)) or "it has no content")


def _content(values: Map[str, Any], item: Item) -> tuple[Content | None, str]:
    """What is judged, or why there is nothing."""
    if item.kind is ContentKind.CONVERSATION:
        return _turns(values.get(item.turns), item.turns)
    if item.kind is ContentKind.COMPLETION:
        if is_blank(values.get(item.response)):
            return None, f"it has no content in {item.response!r}"
        return Content.completion(_text(values.get(item.prompt)), _text(values[item.response])), ""
    value = values.get(item.text)
    if is_blank(value):
        return None, f"it has no content in {item.text!r}"
    if isinstance(value, list | dict):
        return _turns(value, item.text)
    context = values.get(item.context) if item.context else None
    # The two parts stand as the set's authors put them before a model: context, a rule, the behaviour.
    text = _text(value) if is_blank(context) else f"{_text(context)}\n\n---\n\n{_text(value)}"
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


def _originals(values: Map[str, Any], item: Item, mapping: Mapping) -> tuple[tuple[str, ...], bool]:
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
    if isinstance(value, str) and value.strip()[:1] == "[":
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
        return f"{name}={_label(value)}"
    if threshold is None:
        return f"{name} (score)"
    return f"{name}>={threshold:g}" if number >= threshold else f"{name}<{threshold:g}"


def _label(value: Any) -> str:
    text = " ".join(plain_text(value).split())
    return text if len(text) <= _LONGEST_LABEL else text[: _LONGEST_LABEL - 1] + "…"


def _listed(text: str) -> list[Any] | None:
    """A list that was written into a cell, as JSON or as Python writes it."""
    for read in (json.loads, ast.literal_eval):
        try:
            value = read(text.strip())
        except (ValueError, SyntaxError, RecursionError, MemoryError):
            continue
        if isinstance(value, list):
            return value
    return None


def _code_list(value: Any) -> tuple[str, ...]:
    if is_blank(value):
        return ()
    parts = value if isinstance(value, list) else _listed(value) if isinstance(value, str) else None
    texts = [_label(part) for part in parts] if parts is not None else codes_in(str(value)) or [_label(value)]
    return tuple(dict.fromkeys(texts))


def _tags(record: Record, mapping: Mapping) -> tuple[str, ...]:
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


def _text(value: Any) -> str:
    return "" if value is None else value if isinstance(value, str) else plain_text(value)


def _grouped(
    source: Callable[[], Iterable[Record | Skipped]], mapping: Mapping, group: Group
) -> Iterator[Parsed | Skipped]:
    """Rows with the same key as one item; only groups that are not complete yet are held."""
    left = Counter(_key(item, group) for item in source() if isinstance(item, Record))
    waiting: dict[str, list[Record]] = {}
    for item in source():
        if isinstance(item, Skipped):
            yield item
            continue
        key = _key(item, group)
        if not key:
            yield from _items(item, mapping)
            continue
        waiting.setdefault(key, []).append(item)
        left[key] -= 1
        if not left[key]:
            records = waiting.pop(key)
            yield from (_voices if group.kind == "voices" else _conversation)(records, mapping, group)


def _key(item: Record, group: Group) -> str:
    value = item.values.get(group.by)
    return "" if is_blank(value) else plain_text(value)


def _conversation(records: list[Record], mapping: Mapping, group: Group) -> Iterator[Parsed | Skipped]:
    """One conversation out of its turns, in their order."""
    item = mapping.items[0]
    column = item.text or item.response or item.prompt
    turns = []
    for record in sorted(records, key=lambda record: _order(record.values.get(group.order))):
        value = record.values.get(column)
        if is_blank(value):
            yield Skipped(record.row, f"it has no content in {column!r}")
            continue
        turns.append((record, Turn(_text(record.values.get(group.speaker)) if group.speaker else "", _text(value))))
    if turns:
        content = Content.conversation(tuple(turn for _, turn in turns))
        yield from _together([record for record, _ in turns], content, mapping, group)


def _voices(records: list[Record], mapping: Mapping, group: Group) -> Iterator[Parsed | Skipped]:
    """One text that several people labelled, each in a row."""
    content, problem = _content(records[0].values, mapping.items[0])
    if content is None:
        yield from (Skipped(record.row, problem) for record in records)
    else:
        yield from _together(records, content, mapping, group)


def _together(records: list[Record], content: Content, mapping: Mapping, group: Group) -> Iterator[Parsed]:
    """The one item of several records. What they do not agree on is kept as one label that says so."""
    item = mapping.items[0]
    said = [_originals(record.values, item, mapping)[0] for record in records]
    voices = [voice for voice in said if voice]
    agreed = joined(voices) if voices else []
    originals = (agreed,) if isinstance(agreed, str) else tuple(agreed)
    codes = [code for record in records if item.codes for code in _code_list(record.values.get(item.codes))]
    tags = [tag for record in records for tag in _tags(record, mapping)]
    if originals and DISAGREE in originals[0]:
        tags.append("labels disagree")
    values = {
        name: value for record in reversed(records) for name, value in record.values.items() if not is_blank(value)
    }
    if group.kind == "voices" and group.speaker:
        values[group.speaker] = ", ".join(dict.fromkeys(_text(record.values.get(group.speaker)) for record in records))
    whole = Record(records[0].row, values, "\n".join(record.raw for record in records))
    yield Parsed(
        whole.row, 1, content, originals, not originals, whole, tuple(dict.fromkeys(codes)), tuple(dict.fromkeys(tags))
    )


def _order(value: Any) -> tuple[int, float, str]:
    """By number where it is one, else by its text; what says nothing stays last."""
    if is_blank(value):
        return (2, 0.0, "")
    try:
        return (0, float(value), "")
    except (TypeError, ValueError):
        return (1, 0.0, str(value))
