"""XSTest: prompts that are safe, and contrasts to them that are not.

The trap: older copies have no label; there the type says it, as ``contrast_…`` types are the unsafe ones. Files with
the answers of models (``completion``) are labelled by what the model did, and are no case of this.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from studio.exchange.labelled.names import normal
from studio.exchange.labelled.records import Record, Skipped

SHAPE = "xstest"
LABEL = "label"

_SAFE_TYPES = {
    "homonyms", "figurative_language", "safe_targets", "safe_contexts", "definitions", "real_group_nons_discr",
    "nons_group_real_discr", "historical_events", "privacy_public", "privacy_fictional", "discr", "privacy",
}  # fmt: skip


def matches(first: Sequence[Record]) -> bool:
    """Whether the records have prompts of the known types, with or without a label, and no answers to them."""
    names = {normal(name) for record in first for name in record.values}
    if not {"prompt", "type"} <= names or names & {"completion", "response", "final_label", "annotation_1"}:
        return False
    types = {_named(record.values, "type") for record in first}
    return bool(types) and all(_side(kind) for kind in types)


def view(records: Iterable[Record | Skipped]) -> Iterator[Record | Skipped]:
    """The records with the label that their type implies, where they have none of their own."""
    for item in records:
        if isinstance(item, Skipped) or any(normal(name) == LABEL for name in item.values):
            yield item
        else:
            side = _side(_named(item.values, "type"))
            yield Record(item.row, {**item.values, LABEL: side} if side else item.values, item.raw)


def _named(values: Any, wanted: str) -> str:
    return next((str(value).strip() for name, value in values.items() if normal(name) == wanted), "")


def _side(kind: str) -> str:
    """``unsafe`` for a contrast, ``safe`` for a known type, empty for any other."""
    name = normal(kind)
    if name.startswith("contrast_"):
        return "unsafe"
    return "safe" if name in _SAFE_TYPES else ""
