"""From records to items by a mapping: what is judged, what the file says is right, and what nobody can say yet."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace

from studio.core.errors import InputError
from studio.core.labels import Decision
from studio.core.policy import ContentKind, Policy
from studio.exchange.labelled import own
from studio.exchange.labelled.cells import Parsed, items_of
from studio.exchange.labelled.groups import grouped
from studio.exchange.labelled.mapping import CONTENT, HUMAN, JUDGED, LABEL_COLUMN, MACHINE_LABELS, NO_LABEL, Mapping
from studio.exchange.labelled.records import Record, Skipped
from studio.exchange.labelled.values import Meaning

_MACHINE_TAGS = frozenset({"human_annotation=False", "human_annotation=false", "human_annotation=0"})


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
                yield from items_of(item, mapping)
        return
    yield from grouped(source, mapping, mapping.group)


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
        items = tuple(replace(item, label="" if label == NO_LABEL else label, flags=()) for item in items)
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
