"""The scores of an evaluation: decisions, labels, confusion, and the non-verdicts beside them.

An example without an expected decision is left out and counted; a non-verdict is never counted as a verdict.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence

import numpy as np

from studio.analysis.calibration import calibrate
from studio.analysis.intervals import Floats, of_items, of_table, share
from studio.analysis.tables import NO_ITEMS, RESAMPLING, f1_of, table_figure, two_classes
from studio.core.evaluation import Cell, Confusion, Figure, FigureSet, Judged, Scores
from studio.core.labels import Decision, Label, LabelDecision

NO_VERDICT = "no verdict"
NO_LABELS = "no label"
_NO_LABELLED = "no verdict has an example whose labels are known"


def score(items: Sequence[Judged], labels: Sequence[Label]) -> Scores:
    """Score what was judged; ``labels`` are the policy's."""
    known = [item for item in items if item.expected is not None]
    verdicts = [item for item in known if item.decision is not None]
    statuses = Counter(item.status for item in known if item.decision is None)
    return Scores(
        total=len(items),
        unknown=len(items) - len(known),
        no_verdict=share("no_verdict", len(known) - len(verdicts), len(known), NO_ITEMS),
        by_status=tuple(
            share(f"no_verdict[{status}]", count, len(known), NO_ITEMS) for status, count in statuses.most_common()
        ),
        binary=_binary("violates, over verdicts only", verdicts),
        binary_strict=_binary("violates, a non-verdict counted as wrong", known),
        three_way=_three_way(known, verdicts),
        multi=_multi(verdicts, labels),
        labels=_per_label(verdicts, labels),
        labels_strict=_per_label(known, labels),
        decisions=_confusion([(str(item.expected), _got(item), item.id) for item in known], tuple(map(str, Decision))),
        label_pairs=_confusion(
            [(_joined(item.expected_labels), _got_labels(item), item.id) for item in known if item.expected_labels],
            tuple(label.id for label in labels),
        ),
        calibration=calibrate(
            [(item.p_violates, item.expected is Decision.VIOLATES) for item in verdicts if item.p_violates is not None]
        ),
    )


def _binary(name: str, items: Sequence[Judged]) -> FigureSet:
    """Violating against the rest; an item without a verdict counts as the wrong one of the two."""
    counts: Counter[tuple[bool, bool]] = Counter()
    for item in items:
        true = item.expected is Decision.VIOLATES
        counts[true, not true if item.decision is None else item.decision is Decision.VIOLATES] += 1
    return two_classes(name, counts[True, True], counts[False, True], counts[True, False], counts[False, False])


def _three_way(known: Sequence[Judged], verdicts: Sequence[Judged]) -> FigureSet:
    found = {value for item in verdicts for value in (item.expected, item.decision)}
    present = [decision for decision in Decision if decision in found]
    counts = Counter((item.expected, item.decision) for item in verdicts)
    table = [counts[true, got] for true in present for got in present]
    right = sum(item.right for item in verdicts)
    figures = [
        share("accuracy", right, len(verdicts), NO_ITEMS),
        share("decision_accuracy", right, len(known), NO_ITEMS),
        _macro_f1(table, len(present)),
    ]
    if present:
        figures += [table_figure("mcc", table, len(present)), table_figure("kappa", table, len(present))]
    return FigureSet("all three decisions", tuple(figures))


def _macro_f1(table: list[int], size: int) -> Figure:
    flat = np.array(table, dtype=np.float64)
    if not table:
        return Figure("decision_macro_f1", None, 0, reason=NO_ITEMS)

    def statistic(tables: Floats) -> Floats:
        square = tables.reshape(-1, size, size)
        right = np.diagonal(square, axis1=1, axis2=2)
        return _mean_of_those_there(f1_of(right, square.sum(axis=1) - right, square.sum(axis=2) - right))

    return Figure("decision_macro_f1", float(statistic(flat[None, :])[0]), int(flat.sum()), of_table(flat, statistic))


def _per_label(items: Sequence[Judged], labels: Sequence[Label]) -> tuple[FigureSet, ...]:
    """Each label against the rest; an item without a verdict is a miss where the label is expected, else left out."""
    sets = []
    for label in labels:
        counts: Counter[tuple[bool, bool]] = Counter()
        for item in items:
            true = label.id in item.expected_labels
            if _knows(item, label) and (item.decision is not None or true):
                counts[true, label.id in item.labels] += 1
        sets.append(
            two_classes(
                label.name or label.id,
                counts[True, True],
                counts[False, True],
                counts[True, False],
                counts[False, False],
                label=label.id,
            )
        )
    return tuple(sets)


def _knows(item: Judged, label: Label) -> bool:
    """Whether it is known if the example has the label: it names its labels, or it is allowed and names none."""
    if item.expected_labels:
        return True
    return item.expected is Decision.ALLOWED and label.decision is not LabelDecision.ALLOW


def _multi(verdicts: Sequence[Judged], labels: Sequence[Label]) -> FigureSet:
    """Exact match of whole sets, and micro and macro averages over labels, on the verdicts whose labels are known.

    An allowed example that names no label matches a verdict without a label that forbids or asks for review. Macro
    averages leave out a label for which the figure does not exist.
    """
    known = [item for item in verdicts if item.expected_labels or item.expected is Decision.ALLOWED]
    finding = {label.id for label in labels if label.decision is not LabelDecision.ALLOW}
    exact = sum(
        set(item.labels) == set(item.expected_labels) if item.expected_labels else finding.isdisjoint(item.labels)
        for item in known
    )
    figures = [share("exact_match", exact, len(known), _NO_LABELLED)]
    rows = np.array([_label_row(item, labels) for item in known], dtype=np.float64).reshape(-1, 3 * len(labels))
    for name in ("micro_precision", "micro_recall", "micro_f1", "macro_precision", "macro_recall", "macro_f1"):
        figures.append(_averaged(name, rows, len(labels)))
    return FigureSet("sets of labels, over verdicts only", tuple(figures))


def _label_row(item: Judged, labels: Sequence[Label]) -> list[bool]:
    """Whether each label is a true positive, then a false positive, then a false negative."""
    known = [_knows(item, label) for label in labels]
    true = [label.id in item.expected_labels for label in labels]
    got = [label.id in item.labels for label in labels]
    cells = list(zip(known, true, got, strict=True))
    return (
        [k and t and g for k, t, g in cells]
        + [k and g and not t for k, t, g in cells]
        + [k and t and not g for k, t, g in cells]
    )


def _averaged(name: str, rows: Floats, size: int) -> Figure:
    over, _, what = name.partition("_")

    def statistic(sums: Floats) -> Floats:
        tp, fp, fn = np.split(sums, 3, axis=1)
        if over == "micro":
            tp, fp, fn = (part.sum(axis=1, keepdims=True) for part in (tp, fp, fn))
        if what == "f1":
            values = f1_of(tp, fp, fn)
        else:
            below = tp + (fp if what == "precision" else fn)
            values = tp / np.where(below > 0, below, np.nan)
        return _mean_of_those_there(values)

    if not len(rows) or not size:
        return Figure(name, None, len(rows), reason=_NO_LABELLED)
    value = float(statistic(rows.sum(axis=0)[None, :])[0])
    if not np.isfinite(value):
        return Figure(name, None, len(rows), reason="no label was expected or found")
    interval = of_items(rows, statistic)
    return Figure(name, value, len(rows), interval, reason="" if interval else RESAMPLING)


def _mean_of_those_there(values: Floats) -> Floats:
    """The mean of each row over its values that exist; nan where none does."""
    there = np.isfinite(values)
    count = there.sum(axis=1)
    means: Floats = np.where(there, values, 0.0).sum(axis=1) / np.where(count > 0, count, np.nan)
    return means


def _confusion(pairs: Iterable[tuple[str, str, str]], order: Sequence[str]) -> Confusion:
    """The matrix of (expected, got, id); values in ``order`` first, then the others by name, no verdict last."""
    cells: dict[tuple[str, str], list[str]] = {}
    for expected, got, item_id in pairs:
        cells.setdefault((expected, got), []).append(item_id)
    place = {value: n for n, value in enumerate(order)}

    def rank(value: str) -> tuple[bool, bool, int, str]:
        return value == NO_VERDICT, value == NO_LABELS, place.get(value, len(place)), value

    rows = sorted({expected for expected, _ in cells}, key=rank)
    columns = sorted({got for _, got in cells} | set(rows), key=rank)
    return Confusion(
        tuple(rows),
        tuple(columns),
        tuple(
            Cell(row, column, tuple(cells[row, column])) for row in rows for column in columns if (row, column) in cells
        ),
    )


def _got(item: Judged) -> str:
    return NO_VERDICT if item.decision is None else str(item.decision)


def _joined(labels: Sequence[str]) -> str:
    return " + ".join(sorted(labels)) or NO_LABELS


def _got_labels(item: Judged) -> str:
    return NO_VERDICT if item.decision is None else _joined(item.labels)
