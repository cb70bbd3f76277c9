"""Rows that belong together: the turns of a conversation, and what several people said about one text."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from typing import Any

from studio.core.content import Content, Turn
from studio.core.policy import ContentKind
from studio.exchange.labelled.cells import Parsed, code_list, content_of, items_of, originals_of, tags_of, text_of
from studio.exchange.labelled.mapping import TURN_LABELS, Group, Item, Mapping
from studio.exchange.labelled.profile import plain_text
from studio.exchange.labelled.records import Record, Skipped, is_blank
from studio.exchange.labelled.shapes.label_studio import DISAGREE, joined

EACH, LAST, WHOLE = "each turn", "last turn", "whole conversation"
"""Of what the labels of turns speak: of each turn in the light of those before it, of the conversation by its last
label, or of the conversation where all agree."""


def grouped(
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
            yield from items_of(item, mapping)
            continue
        waiting.setdefault(key, []).append(item)
        left[key] -= 1
        if not left[key]:
            records = waiting.pop(key)
            yield from (_voices if group.kind == "voices" else _conversation)(records, mapping, group)


def _key(item: Record, group: Group) -> str:
    value = item.values.get(group.by)
    return "" if is_blank(value) else plain_text(value)


def turns_differ(records: Iterable[Record | Skipped], mapping: Mapping) -> bool:
    """Whether a conversation has turns with different labels: then they are about turns, not about conversations."""
    group = mapping.group
    if group is None or group.kind != "turns":
        return False
    first: dict[str, tuple[str, ...]] = {}
    for item in records:
        if isinstance(item, Skipped) or not (key := _key(item, group)):
            continue
        said = originals_of(item.values, mapping.items[0], mapping)[0]
        if said and first.setdefault(key, said) != said:
            return True
    return False


def _conversation(records: list[Record], mapping: Mapping, group: Group) -> Iterator[Parsed | Skipped]:
    """One conversation out of its turns, in their order; one for each labelled turn where labels are about turns."""
    turns: list[tuple[Record, tuple[Turn, ...]]] = []
    for record in sorted(records, key=lambda record: _order(record.values.get(group.order))):
        found = _turns(record, mapping.items[0], group)
        if found:
            turns.append((record, found))
        else:
            where = "".join(f" in {column!r}" for column in mapping.items[0].columns[:1])
            yield Skipped(record.row, f"it has no content{where}")
    labelled = [
        place for place, (record, _) in enumerate(turns) if originals_of(record.values, mapping.items[0], mapping)[0]
    ]
    if TURN_LABELS not in mapping.confirm or mapping.confirm[TURN_LABELS] == WHOLE or not labelled:
        ends = [(0, len(turns))] if turns else []
    elif mapping.confirm[TURN_LABELS] == LAST:
        ends = [(labelled[-1], len(turns))]
    else:
        ends = [(place, place + 1) for place in labelled]
    for first, end in ends:
        content = Content.conversation(tuple(turn for _, found in turns[:end] for turn in found))
        yield from _together([record for record, _ in turns[first:end]], content, mapping, group)


def _turns(record: Record, item: Item, group: Group) -> tuple[Turn, ...]:
    """The turns of a row: one, or a prompt and the response to it."""
    if item.kind is ContentKind.COMPLETION:
        parts = [("user", record.values.get(item.prompt)), ("assistant", record.values.get(item.response))]
    else:
        speaker = text_of(record.values.get(group.speaker)) if group.speaker else ""
        parts = [(speaker, record.values.get(item.text))]
    return tuple(Turn(who, text_of(value)) for who, value in parts if not is_blank(value))


def _voices(records: list[Record], mapping: Mapping, group: Group) -> Iterator[Parsed | Skipped]:
    """One text that several people labelled, each in a row."""
    content, problem = content_of(records[0].values, mapping.items[0])
    if content is None:
        yield from (Skipped(record.row, problem) for record in records)
    else:
        yield from _together(records, content, mapping, group)


def _together(records: list[Record], content: Content, mapping: Mapping, group: Group) -> Iterator[Parsed]:
    """The one item of several records. What they do not agree on is kept as one label that says so."""
    item = mapping.items[0]
    said = [originals_of(record.values, item, mapping)[0] for record in records]
    voices = [voice for voice in said if voice]
    agreed = joined(voices) if voices else []
    originals = (agreed,) if isinstance(agreed, str) else tuple(agreed)
    codes = [code for record in records if item.codes for code in code_list(record.values.get(item.codes))]
    tags = [tag for record in records for tag in tags_of(record, mapping)]
    if originals and DISAGREE in originals[0]:
        tags.append("labels disagree")
    values = {
        name: value for record in reversed(records) for name, value in record.values.items() if not is_blank(value)
    }
    if group.kind == "voices" and group.speaker:
        values[group.speaker] = ", ".join(
            dict.fromkeys(text_of(record.values.get(group.speaker)) for record in records)
        )
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
