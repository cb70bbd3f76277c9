"""The preview of a labelled file: everything counted before anything is stored, and the examples once it may be."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Any

from studio.core.content import Content
from studio.core.errors import InputError
from studio.core.golden import GoldenExample
from studio.core.policy import Policy
from studio.core.progress import Cancel, Progress
from studio.exchange.labelled import own
from studio.exchange.labelled.apply import parse, resolve
from studio.exchange.labelled.cells import Parsed
from studio.exchange.labelled.groups import turns_differ
from studio.exchange.labelled.mapping import HEADER, LABEL_COLUMN, NO_LABEL, SHEET, TURN_LABELS, Mapping, to_json
from studio.exchange.labelled.opened import sha256_of
from studio.exchange.labelled.profile import Profile, plain_text, profile
from studio.exchange.labelled.propose import propose
from studio.exchange.labelled.questions import Question, class_name, open_questions
from studio.exchange.labelled.records import Record, Skipped, is_blank
from studio.exchange.labelled.shapes.label_studio import DISAGREE
from studio.exchange.labelled.tables import Table, open_table
from studio.exchange.labelled.values import Meaning, is_code, meaning_of

MOST_SKIPPED = 10_000
"""Skipped rows that are listed one by one; the rest is one line with their number."""

MOST_LABELS = 2_000
_SAMPLES = 3
_STEP = 5_000
_WORDS = {"valid", "invalid"}
_NO_CONTENT, _NO_RECORD = Content.message(""), Record(0, {}, "")
Kind = tuple[tuple[str, ...], bool, tuple[str, ...]]


@dataclass(frozen=True, slots=True)
class Preview:
    """What an import would do. Nothing is stored yet.

    ``by_label`` counts items per original label; an item with several labels counts under each. ``unlabelled`` are
    items of which the file does not say what is right. ``decisions`` counts items per decision as the mapping
    stands, with ``unknown`` for the rest. ``samples`` shows the first contents of each label. ``table`` is the file
    as it was read, and ``kinds`` counts items by all that their decision depends on.
    """

    path: Path
    sha256: str
    items: int
    by_label: dict[str, int]
    unlabelled: int
    questions: tuple[Question, ...]
    skipped: tuple[Skipped, ...]
    skipped_count: int
    mapping: Mapping
    decisions: dict[str, int]
    samples: dict[str, tuple[str, ...]]
    columns: tuple[str, ...]
    table: Table
    kinds: Counter[Kind]

    def to_json(self) -> dict[str, Any]:
        """The preview for scripts."""
        return {
            "items": self.items,
            "by_label": self.by_label,
            "unlabelled": self.unlabelled,
            "needs_answer": [question.to_json() for question in self.questions],
            "skipped": [{"row": item.row, "why": item.why} for item in self.skipped],
            "mapping": to_json(self.mapping),
        }


class Stopped(Exception):
    """Somebody asked to stop."""


def preview(
    path: Path,
    policy: Policy | None,
    mapping: Mapping | None = None,
    *,
    on_progress: Callable[[Progress], None] | None = None,
    cancel: Cancel | None = None,
) -> Preview:
    """Read the file to propose a mapping, unless one is given, and count. Raises InputError and Stopped."""
    sha256 = sha256_of(path)
    table = open_table(path, _read_as_answered(mapping))
    columns = profile(table.records())
    given = mapping
    mapping = _proposed(table, columns, policy) if given is None else _with_thresholds(given, table, columns)
    count = _Count()
    for item in parse(table.records, mapping):
        if cancel is not None and cancel.requested:
            raise Stopped
        count.add(item)
        if on_progress is not None and count.rows % _STEP == 0:
            on_progress(Progress(count.rows, 0, path.name))
    mapping = replace(mapping, values=_values(mapping, given, count.by_label, table, policy))
    decisions, unlabelled = _decided(count.kinds, mapping, policy)
    return Preview(
        path=path,
        sha256=sha256,
        items=count.items,
        by_label=dict(count.by_label),
        unlabelled=unlabelled,
        questions=open_questions(mapping, count.by_label, tuple(columns.columns), table, policy),
        skipped=count.listed(),
        skipped_count=count.skipped_count,
        mapping=mapping,
        decisions=decisions,
        samples={label: tuple(texts) for label, texts in count.samples.items()},
        columns=tuple(columns.columns),
        table=table,
        kinds=count.kinds,
    )


def revalued(seen: Preview, mapping: Mapping, policy: Policy | None) -> Preview:
    """The preview with other meanings of the labels, all else unchanged: the file need not be read again."""
    decisions, unlabelled = _decided(seen.kinds, mapping, policy)
    questions = open_questions(mapping, seen.by_label, seen.columns, seen.table, policy)
    return replace(seen, mapping=mapping, decisions=decisions, unlabelled=unlabelled, questions=questions)


def examples(seen: Preview, policy: Policy, now: datetime) -> Iterator[GoldenExample]:
    """The golden examples of a file that was previewed; items that are to be skipped are left out.

    Raises InputError while a question is open, and when the file is no longer the one that was previewed.
    """
    if seen.questions:
        first = seen.questions[0]
        raise InputError(
            f"{seen.path.name} leaves {len(seen.questions)} question(s) open; the first: {first.ask}",
            hint="`--preview --save-mapping M.json` writes the mapping; put the answers where it says null "
            f"({'.'.join(first.where)}) and import again with `--mapping M.json`.",
            title="This file needs an answer first",
        )
    if sha256_of(seen.path) != seen.sha256:
        raise InputError(f"{seen.path.name} has changed since its preview.", hint="Look at the preview again.")
    table = open_table(seen.path, seen.mapping.read)
    for item in parse(table.records, seen.mapping):
        if isinstance(item, Parsed):
            found = _example(item, seen, policy, now)
            if found is not None:
                yield found


def _example(item: Parsed, seen: Preview, policy: Policy, now: datetime) -> GoldenExample | None:
    mapping, record = seen.mapping, item.record
    if mapping.shape == own.STUDIO:
        return own.example(record.values, policy.id)
    meaning = resolve(item, mapping, policy)
    if meaning.skip:
        return None
    named = record.values.get(mapping.id) if mapping.id else None
    place = f"{seen.path.name}, row {item.row}" + ("" if is_blank(named) else f" ({plain_text(named)})")
    return GoldenExample(
        id=hashlib.sha256(f"{policy.id}\n{seen.sha256}\n{item.row}\n{item.part}".encode()).hexdigest()[:32],
        policy_id=policy.id,
        content=item.content,
        expected=meaning.decision,
        labels=meaning.labels,
        why=_cell(record, mapping.why),
        decided_by=_cell(record, mapping.decided_by),
        tags=item.tags,
        source=place,
        source_row=record.raw,
        original=" | ".join(item.originals),
        source_sha256=seen.sha256,
        created_at=now,
    )


def _cell(record: Record, column: str) -> str:
    value = record.values.get(column) if column else None
    return "" if is_blank(value) else plain_text(value)


def _read_as_answered(mapping: Mapping | None) -> Any:
    """How to read the file, with what a person said about its header and its sheet."""
    if mapping is None:
        return None
    read = mapping.read
    if mapping.confirm.get(HEADER) == "no":
        read = replace(read, header=0)
    sheet = mapping.confirm.get(SHEET)
    return replace(read, sheet=sheet) if sheet else read


def _proposed(table: Table, columns: Profile, policy: Policy | None) -> Mapping:
    mapping = propose(table, columns, policy)
    differ = mapping.group is not None and turns_differ(table.records(), mapping)
    return replace(mapping, confirm={**mapping.confirm, TURN_LABELS: None}) if differ else mapping


def _with_thresholds(given: Mapping, table: Table, columns: Profile) -> Mapping:
    """A mapping that was given; a threshold is asked where it names a column of scores and says nothing of values."""
    answer = given.confirm.get(LABEL_COLUMN)
    named = {name for item in given.items for name in (answer or item.label, *item.flags)} - {"", NO_LABEL}
    scores = [column for name in named if (column := columns.named(name)) is not None and column.is_score]
    asked: dict[str, float | None] = {
        column.name: None for column in scores if not given.values.keys() & column.values.keys()
    }
    return replace(given, read=table.read, thresholds={**asked, **given.thresholds})


def _values(
    mapping: Mapping, given: Mapping | None, by_label: Counter[str], table: Table, policy: Policy | None
) -> dict[str, Meaning | None]:
    """A meaning for every label in the file: what was given, else what is certain, else none."""
    values: dict[str, Meaning | None] = dict(mapping.values)
    # A mapping may have been made for a file that spells its labels in another case.
    folded = {} if given is None else {label.casefold(): meaning for label, meaning in given.values.items()}
    mixed = any(is_code(label) for label in by_label) and any(label.casefold() in _WORDS for label in by_label)
    flags = {flag for item in mapping.items for flag in item.flags}
    answer = mapping.confirm.get(LABEL_COLUMN)
    label_column = answer or next((item.label for item in mapping.items if item.label), "")
    for label in by_label:
        if label in values:
            continue
        if label.casefold() in folded:
            values[label] = folded[label.casefold()]
        elif DISAGREE in label:
            values[label] = Meaning(None)
        elif flags or label_column in mapping.thresholds or (mixed and is_code(label)):
            values[label] = None
        else:
            values[label] = meaning_of(class_name(label, label_column, table) or label, policy)
    return {label: meaning for label, meaning in values.items() if not label.endswith(" (score)")}


def _decided(kinds: Counter[Kind], mapping: Mapping, policy: Policy | None) -> tuple[dict[str, int], int]:
    """Items per decision, and how many the file leaves without a label."""
    decisions: Counter[str] = Counter()
    unlabelled = 0
    for (originals, unsaid, tags), number in kinds.items():
        item = Parsed(0, 0, _NO_CONTENT, originals, unsaid, _NO_RECORD, (), tags)
        meaning = resolve(item, mapping, policy)
        word = "skip" if meaning.skip else "unknown" if meaning.decision is None else str(meaning.decision)
        decisions[word] += number
        if item.open and meaning.decision is None:
            unlabelled += number
    return dict(decisions), unlabelled


class _Count:
    """Counts items by what their labels are, without keeping them."""

    def __init__(self) -> None:
        self.items = self.rows = self.skipped_count = 0
        self.by_label: Counter[str] = Counter()
        self.kinds: Counter[Kind] = Counter()
        self.samples: dict[str, list[str]] = {}
        self._skipped: list[Skipped] = []

    def add(self, item: Parsed | Skipped) -> None:
        self.rows += 1
        if isinstance(item, Skipped):
            self.skipped_count += 1
            if len(self._skipped) < MOST_SKIPPED:
                self._skipped.append(item)
            return
        self.items += 1
        for label in item.originals:
            self._label(label, item)
        self.kinds[_kind(item)] += 1

    def listed(self) -> tuple[Skipped, ...]:
        """The skipped rows, and how many more there are."""
        more = self.skipped_count - len(self._skipped)
        return (*self._skipped, *((Skipped(0, f"and {more:,} more rows"),) if more else ()))

    def _label(self, label: str, item: Parsed) -> None:
        if label not in self.by_label and len(self.by_label) >= MOST_LABELS:
            raise InputError(
                f"The column of labels holds more than {MOST_LABELS:,} different values.",
                hint="Name the right column as the label in a mapping.",
            )
        self.by_label[label] += 1
        samples = self.samples.setdefault(label, [])
        if len(samples) < _SAMPLES:
            samples.append(item.content.title)


def _kind(item: Parsed) -> Kind:
    """All that the decision depends on."""
    return item.originals, item.open, tuple(tag for tag in item.tags if tag.startswith("human_annotation="))
