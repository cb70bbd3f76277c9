"""Sets that hold what each annotator said about a text in one list, such as HateXplain's.

The trap: the list looks like several labels of the text, of which one that violates would decide. People who disagree
are kept as such, as in :mod:`.label_studio`. A label that stands beside the list is the file's own word and stays. A
text that is written as a list of its words is put together.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from studio.exchange.labelled.names import normal
from studio.exchange.labelled.profile import plain_text
from studio.exchange.labelled.records import Record, Skipped, is_blank
from studio.exchange.labelled.shapes.label_studio import PEOPLE, joined

SHAPE = "annotators"
LABEL = "label"

PEOPLE_LISTS = ("annotators", "annotations", "raters", "workers", "votes")
_IDS = ("annotator_id", "annotator", "worker_id", "rater_id", "id")
_WORDS = ("post_tokens", "tokens", "words")


def matches(first: Sequence[Record]) -> bool:
    """Whether the records have a list of people, each with a label."""
    return bool(first) and all(_said(record.values) is not None for record in first)


def view(records: Iterable[Record | Skipped]) -> Iterator[Record | Skipped]:
    """The records with one label, what the people agree on or all that they said, and who they were."""
    for item in records:
        yield item if isinstance(item, Skipped) else Record(item.row, _values(item.values), item.raw)


def _said(values: Any) -> tuple[list[Any], list[Any]] | None:
    """Labels and ids in the order of the people; None where the record has no such list."""
    for name in PEOPLE_LISTS:
        people = values.get(name)
        if isinstance(people, list) and people and all(isinstance(one, dict) and LABEL in one for one in people):
            return [one[LABEL] for one in people], [_first(one, _IDS) for one in people]
        labels = values.get(f"{name}.{LABEL}")
        if isinstance(labels, list):
            ids = next((found for key in _IDS if isinstance(found := values.get(f"{name}.{key}"), list)), [])
            return labels, ids
    return None


def _first(one: Any, names: Sequence[str]) -> Any:
    return next((one[name] for name in names if not is_blank(one.get(name))), None)


def _values(values: Any) -> dict[str, Any]:
    found = {name: value for name, value in values.items() if name.split(".")[0] not in PEOPLE_LISTS}
    labels, ids = _said(values) or ([], [])
    voices = [[plain_text(label)] for label in labels if not is_blank(label)]
    if voices and is_blank(found.get(LABEL)):
        said = joined(voices)
        found[LABEL] = said if isinstance(said, str) else said[0]
    people = dict.fromkeys(plain_text(one) for one in ids if not is_blank(one))
    if people:
        found[PEOPLE] = ", ".join(f"annotator {one}" if one.isdigit() else one for one in people)
    for name, value in values.items():
        if normal(name) in _WORDS and isinstance(value, list) and all(isinstance(word, str) for word in value):
            found.pop(name)
            found.setdefault("text", " ".join(value))
    return found
