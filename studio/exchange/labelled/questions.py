"""What a person still has to say before a file can be stored, each with its place in the mapping."""

from __future__ import annotations

from collections.abc import Mapping as Map
from dataclasses import dataclass
from typing import Any

from studio.core.labels import Decision
from studio.core.policy import Policy
from studio.exchange.labelled.groups import EACH, LAST, WHOLE
from studio.exchange.labelled.mapping import (
    CONTENT,
    HEADER,
    HUMAN,
    JUDGED,
    LABEL_COLUMN,
    MACHINE_LABELS,
    NO_LABEL,
    SHEET,
    TURN_LABELS,
    UNNAMED,
    Mapping,
)
from studio.exchange.labelled.tables import Table
from studio.exchange.labelled.values import suggested

MEANINGS = (*map(str, Decision), "unknown", "skip")

_ASKED = {
    HUMAN: ("The only labels stand in a column named after a model. Who gave them?", ("human", "model")),
    JUDGED: ("Which of the two does the label speak of?", ("response", "prompt")),
    CONTENT: ("Which column holds the content that is judged?", ()),
    LABEL_COLUMN: ("Which column says what is right?", ()),
    UNNAMED: ("Columns without a name hold something. What about their rows?", ("ignore", "skip")),
    MACHINE_LABELS: ("Some labels were set by a machine (human_annotation is False). Keep them?", ("keep", "unknown")),
    HEADER: ("Does the first row hold the names of the columns?", ("yes", "no")),
    SHEET: ("Which sheet holds the set?", ()),
    TURN_LABELS: ("Turns of one conversation have different labels. What is judged?", (EACH, LAST, WHOLE)),
}


@dataclass(frozen=True, slots=True)
class Question:
    """One question. ``where`` is the path in the mapping that holds the answer, now null; ``rows`` counts its items.

    ``options`` are the answers it takes, empty for a free text or number; ``suggested`` is the likely one, or empty.
    """

    ask: str
    where: tuple[str, str]
    options: tuple[str, ...] = ()
    rows: int = 0
    suggested: str = ""

    def to_json(self) -> dict[str, Any]:
        """As the preview's JSON has it."""
        return {
            "ask": self.ask,
            "where": list(self.where),
            "options": list(self.options),
            "rows": self.rows,
            "suggested": self.suggested,
        }


def open_questions(
    mapping: Mapping, by_label: Map[str, int], columns: tuple[str, ...], table: Table, policy: Policy | None
) -> tuple[Question, ...]:
    """All questions that the mapping leaves open for this file."""
    found = []
    for name, answer in mapping.confirm.items():
        if answer is None:
            ask, options = _ASKED.get(name, (f"What is {name}?", ()))
            if not options and name != SHEET:
                options = (*columns, NO_LABEL) if name == LABEL_COLUMN else columns
            column = next((item.label for item in mapping.items), "") if name == LABEL_COLUMN else ""
            found.append(Question(ask, ("confirm", name), options, suggested=column))
    for name, threshold in mapping.thresholds.items():
        if threshold is None:
            rows = by_label.get(f"{name} (score)", 0)
            found.append(Question(f"From which score on does {name!r} count?", ("thresholds", name), rows=rows))
    label = mapping.confirm.get(LABEL_COLUMN) or next((item.label for item in mapping.items if item.label), "")
    for text, count in by_label.items():
        if mapping.meaning(text) is None and not text.endswith(" (score)"):
            column = label or text.partition("=")[0]
            named = class_name(text, label, table)
            likely = suggested(named or text, column, policy)
            what = f"{text!r} ({named})" if named else f"{text!r}"
            found.append(
                Question(
                    f"What does the label {what} of {column!r} mean?"
                    if column
                    else f"What does the label {what} mean?",
                    ("values", text),
                    MEANINGS,
                    count,
                    "" if likely is None else str(likely),
                )
            )
    return tuple(found)


def class_name(text: str, column: str, table: Table) -> str:
    """The name that the file itself gives to a numbered class; empty when it gives none."""
    names = table.class_names.get(column, ())
    return names[int(text)] if text.isdigit() and int(text) < len(names) else ""
