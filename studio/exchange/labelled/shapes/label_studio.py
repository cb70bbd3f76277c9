"""Label Studio's JSON: tasks with the annotations of several people.

The traps: people may disagree (kept, never resolved here), ``predictions`` are the model's, and a cancelled annotation
is none.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from studio.exchange.labelled.records import Record, Skipped

SHAPE = "label_studio"
PEOPLE = "completed_by"
DISAGREE = " ≠ "
"""Joins what several people said when they did not say the same."""

_LISTS = ("annotations", "completions")


def matches(first: Sequence[Record]) -> bool:
    """Whether the records are tasks with data and a list of annotations."""
    return bool(first) and all(
        any(isinstance(record.values.get(key), list) for key in _LISTS)
        and any(name.startswith("data.") for name in record.values)
        for record in first
    )


def view(records: Iterable[Record | Skipped]) -> Iterator[Record | Skipped]:
    """Each task with the fields of its data, one column per control that people chose with, and who they were."""
    for item in records:
        yield item if isinstance(item, Skipped) else Record(item.row, _values(item.values), item.raw)


def joined(voices: Sequence[Sequence[str]]) -> list[str] | str:
    """What several people said: the labels they agree on, or all of it as one label that says so."""
    said = {tuple(sorted(voice)): list(voice) for voice in voices if voice}
    if len(said) == 1:
        return next(iter(said.values()))
    return DISAGREE.join(", ".join(voice) for voice in said)


def _values(values: Any) -> dict[str, Any]:
    found = {name.removeprefix("data."): value for name, value in values.items() if name.startswith("data.")}
    if "id" in values:
        found.setdefault("id", values["id"])
    annotations = [
        one
        for key in _LISTS
        for one in (values.get(key) if isinstance(values.get(key), list) else [])
        if isinstance(one, dict) and not one.get("was_cancelled") and not one.get("skipped")
    ]
    truths = [one for one in annotations if one.get("ground_truth") is True]
    controls: dict[str, list[list[str]]] = {}
    for one in truths or annotations:
        for control, chosen in _choices(one).items():
            controls.setdefault(control, []).append(chosen)
    for control, voices in controls.items():
        found[control if control not in found else f"{control} (chosen)"] = joined(voices)
    people = dict.fromkeys(
        _person(one.get("completed_by")) for one in annotations if one.get("completed_by") is not None
    )
    if people:
        found[PEOPLE] = ", ".join(people)
    return found


def _choices(annotation: Any) -> dict[str, list[str]]:
    """What one person chose, by control."""
    found: dict[str, list[str]] = {}
    results = annotation.get("result")
    for result in results if isinstance(results, list) else []:
        value = result.get("value") if isinstance(result, dict) else None
        if not isinstance(value, dict):
            continue
        chosen: Any = value.get("choices")
        if chosen is None and isinstance(value.get("taxonomy"), list):
            chosen = [" / ".join(map(str, path)) if isinstance(path, list) else str(path) for path in value["taxonomy"]]
        if chosen is None and "rating" in value:
            chosen = [value["rating"]]
        if isinstance(chosen, list) and chosen:
            found.setdefault(str(result.get("from_name") or "choice"), []).extend(map(str, chosen))
    return found


def _person(value: Any) -> str:
    if isinstance(value, dict):
        value = value.get("email") or value.get("username") or value.get("id")
    return f"annotator {value}" if isinstance(value, int) else str(value)
