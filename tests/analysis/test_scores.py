"""Scores equal scikit-learn's and hand-worked tables, and what cannot be told is None with its reason."""

from __future__ import annotations

import math

import numpy as np
import pytest
from sklearn import metrics  # type: ignore[import-untyped]  # comes without types
from sklearn.calibration import calibration_curve  # type: ignore[import-untyped]

from studio.analysis.calibration import calibrate
from studio.analysis.clusters import clusters
from studio.analysis.scores import NO_VERDICT, score
from studio.core.evaluation import FigureSet, Scores
from studio.core.labels import Label, LabelDecision
from studio.core.verdict import Status
from tests.analysis.making import ALLOWED, LABELS, REVIEW, VIOLATES, at_random, judged, table


def value(figures: FigureSet, name: str) -> float:
    figure = figures.get(name)
    assert figure is not None
    assert figure.value is not None, figure.reason
    return figure.value


@pytest.mark.parametrize("seed", range(4))
def test_decisions_score_as_scikit_learn_says(seed: int) -> None:
    items = at_random(seed, 150)
    true = [item.expected is VIOLATES for item in items]
    got = [item.decision is VIOLATES for item in items]
    found = score(items, LABELS)

    expected = {
        "accuracy": metrics.accuracy_score(true, got),
        "precision": metrics.precision_score(true, got),
        "recall": metrics.recall_score(true, got),
        "specificity": metrics.recall_score(true, got, pos_label=False),
        "f1": metrics.f1_score(true, got),
        "fpr": 1 - metrics.recall_score(true, got, pos_label=False),
        "fnr": 1 - metrics.recall_score(true, got),
        "balanced_accuracy": metrics.balanced_accuracy_score(true, got),
        "mcc": metrics.matthews_corrcoef(true, got),
        "kappa": metrics.cohen_kappa_score(true, got),
    }
    assert {name: value(found.binary, name) for name in expected} == pytest.approx(expected)
    three = [item.expected for item in items], [item.decision for item in items]
    of_three = {
        "accuracy": metrics.accuracy_score(*three),
        "decision_macro_f1": metrics.f1_score(*three, average="macro"),
        "mcc": metrics.matthews_corrcoef(*three),
        "kappa": metrics.cohen_kappa_score(*three),
    }
    assert {name: value(found.three_way, name) for name in of_three} == pytest.approx(of_three)


@pytest.mark.parametrize("seed", range(4))
def test_labels_score_as_scikit_learn_says(seed: int) -> None:
    items = at_random(seed, 120)
    ids = [label.id for label in LABELS]
    true = np.array([[label in item.expected_labels for label in ids] for item in items])
    got = np.array([[label in item.labels for label in ids] for item in items])
    found = score(items, LABELS)

    for column, figures in enumerate(found.labels):
        assert figures.label == ids[column]
        assert value(figures, "f1") == pytest.approx(metrics.f1_score(true[:, column], got[:, column]))
        assert value(figures, "recall") == pytest.approx(metrics.recall_score(true[:, column], got[:, column]))
    expected = {"exact_match": metrics.accuracy_score(true, got)}
    for average in ("micro", "macro"):
        expected[f"{average}_precision"] = metrics.precision_score(true, got, average=average)
        expected[f"{average}_recall"] = metrics.recall_score(true, got, average=average)
        expected[f"{average}_f1"] = metrics.f1_score(true, got, average=average)
    assert {name: value(found.multi, name) for name in expected} == pytest.approx(expected)


def test_a_table_worked_by_hand() -> None:
    found = score(table(40, 10, 20, 30), LABELS).binary
    assert (found.tp, found.fp, found.fn, found.tn) == (40, 10, 20, 30)
    by_hand = {
        "accuracy": 0.7,
        "precision": 0.8,
        "recall": 2 / 3,
        "specificity": 0.75,
        "f1": 80 / 110,
        "fpr": 0.25,
        "fnr": 1 / 3,
        "balanced_accuracy": (2 / 3 + 0.75) / 2,
        "mcc": (40 * 30 - 10 * 20) / math.sqrt(50 * 60 * 40 * 50),
        "kappa": (0.7 - 0.5) / 0.5,
    }
    assert {name: value(found, name) for name in by_hand} == pytest.approx(by_hand)
    recall = found.get("recall")
    assert recall is not None
    assert recall.interval is not None
    z = 1.959964
    middle, half = 40 + z * z / 2, z * math.sqrt(40 * 20 / 60 + z * z / 4)
    wilson = ((middle - half) / (60 + z * z), (middle + half) / (60 + z * z))
    assert (recall.interval.low, recall.interval.high) == pytest.approx(wilson, abs=1e-6)


def test_non_verdicts_stand_beside_and_count_as_wrong_where_it_is_said() -> None:
    found = score([*table(8, 2, 2, 8, silent_bad=3, silent_fine=2), judged(99, None, ALLOWED)], LABELS)
    assert (found.total, found.unknown, found.known) == (26, 1, 25)
    assert (found.no_verdict.k, found.no_verdict.n) == (5, 25)
    assert {figure.name: figure.k for figure in found.by_status} == {
        "no_verdict[unparsed]": 3,
        "no_verdict[refused]": 2,
    }
    assert value(found.binary, "recall") == pytest.approx(8 / 10)
    assert value(found.binary_strict, "recall") == pytest.approx(8 / 13)
    assert value(found.binary_strict, "specificity") == pytest.approx(8 / 12)
    assert value(found.three_way, "decision_accuracy") == pytest.approx(16 / 25)
    assert found.decisions.ids("violates", NO_VERDICT) == ("20", "21", "22")
    assert found.decisions.ids("violates", "allowed") == ("10", "11")
    assert found.decisions.columns[-1] == NO_VERDICT


def test_a_silent_label_is_a_miss() -> None:
    items = [
        judged(0, VIOLATES, VIOLATES, expected_labels=("V1",), labels=("V1",)),
        judged(1, VIOLATES, Status.REFUSED, expected_labels=("V1",)),
        judged(2, ALLOWED, ALLOWED),
    ]
    found = score(items, LABELS)
    strict = next(figures for figures in found.labels_strict if figures.label == "V1")
    over_verdicts = next(figures for figures in found.labels if figures.label == "V1")
    assert (strict.tp, strict.fp, strict.fn, strict.tn) == (1, 0, 1, 1)
    assert (over_verdicts.tp, over_verdicts.fp, over_verdicts.fn, over_verdicts.tn) == (1, 0, 0, 1)


def test_unknown_labels_stay_unknown() -> None:
    items = [
        judged(0, VIOLATES, VIOLATES, labels=("V2",)),  # which label is right, nobody said
        judged(1, ALLOWED, ALLOWED, labels=("A0",)),  # allowed, so no label that forbids
        judged(2, VIOLATES, VIOLATES, expected_labels=("V1",), labels=("V2",)),
    ]
    found = score(items, LABELS)
    by_label = {figures.label: (figures.tp, figures.fp, figures.fn, figures.tn) for figures in found.labels}
    assert by_label == {"A0": (0, 0, 0, 1), "V1": (0, 0, 1, 1), "V2": (0, 1, 0, 1), "R1": (0, 0, 0, 2)}
    assert found.label_pairs.ids("V1", "V2") == ("2",)
    exact = found.multi.get("exact_match")
    assert exact is not None
    assert (exact.k, exact.n) == (1, 2)


@pytest.mark.parametrize(
    "items",
    [
        [],
        [judged(0, None, ALLOWED)],
        [judged(0, VIOLATES, VIOLATES)],
        [judged(0, ALLOWED, ALLOWED)],
        [judged(0, REVIEW, Status.EMPTY)],
        table(0, 0, 5, 0),
        table(0, 5, 0, 0),
    ],
)
def test_what_cannot_be_told_is_none_with_its_reason(items: list[object]) -> None:
    found: Scores = score(items, LABELS)  # type: ignore[arg-type]  # the parameter's element type is lost above
    sets = (found.binary, found.binary_strict, found.three_way, found.multi, *found.labels, *found.labels_strict)
    figures = [found.no_verdict, found.calibration.ece, found.calibration.brier]
    figures += [figure for group in sets for figure in group.figures]
    for figure in figures:
        assert figure.value is None or math.isfinite(figure.value)
        if figure.value is None or figure.interval is None:
            assert figure.reason
        else:
            assert 0 <= figure.interval.low <= figure.interval.high <= 1 or figure.name in ("mcc", "kappa")
    assert found.calibration.roc is None
    assert found.calibration.reason


def test_the_same_verdicts_give_the_same_intervals() -> None:
    items = at_random(7, 60)
    assert score(items, LABELS) == score(items, LABELS)


def test_a_perfect_score_of_few_is_not_certain() -> None:
    found = score(table(10, 0, 0, 10), LABELS).binary
    for figure in found.figures:
        assert figure.interval is not None
        if figure.name in ("fpr", "fnr"):
            assert figure.interval.high > 0.1
        else:
            assert figure.value == pytest.approx(1.0)
            assert 0.5 < figure.interval.low < 0.9, figure


def test_curves_and_calibration_as_scikit_learn_says() -> None:
    pairs = [(item.p_violates or 0.0, item.expected is VIOLATES) for item in at_random(3, 180)]
    said, true = [p for p, _ in pairs], [bad for _, bad in pairs]
    found = calibrate(pairs)
    assert found.roc is not None
    assert found.pr is not None
    assert found.roc.area.value == pytest.approx(metrics.roc_auc_score(true, said))
    assert found.pr.area.value == pytest.approx(metrics.average_precision_score(true, said))
    assert found.brier.value == pytest.approx(metrics.brier_score_loss(true, said))
    shares, means = calibration_curve(true, said, n_bins=10)
    assert [item.said for item in found.bins] == pytest.approx(list(means))
    assert [item.true.value for item in found.bins] == pytest.approx(list(shares))
    weights = [item.true.n / len(pairs) for item in found.bins]
    by_hand = sum(w * abs(s - m) for w, s, m in zip(weights, shares, means, strict=True))
    assert found.ece.value == pytest.approx(by_hand)


def test_failures_are_clustered_by_label_pair_and_tags() -> None:
    items = [
        judged(0, VIOLATES, ALLOWED, expected_labels=("V1",), labels=("A0",), tags=("irony", "short")),
        judged(1, VIOLATES, ALLOWED, expected_labels=("V1",), labels=("A0",), tags=("irony",)),
        judged(2, VIOLATES, VIOLATES, expected_labels=("V1",), labels=("V2",)),
        judged(3, VIOLATES, Status.REFUSED, expected_labels=("V1",)),
        judged(4, VIOLATES, VIOLATES, expected_labels=("V1",), labels=("V1",)),
        judged(5, None, VIOLATES),
    ]
    first, *others = clusters(items)
    assert (first.expected, first.got, first.ids) == ("violates (V1)", "allowed (A0)", ("0", "1"))
    assert first.tags == (("irony", 2), ("short", 1))
    assert {(cluster.got, cluster.ids) for cluster in others} == {
        ("violates (V2)", ("2",)),
        ("no verdict (refused)", ("3",)),
    }


def test_a_label_that_nobody_expects_has_no_recall() -> None:
    (figures,) = score(table(1, 1, 1, 1), [Label("V9", LabelDecision.VIOLATE)]).labels
    recall = figures.get("recall")
    assert recall is not None
    assert recall.value is None
    assert recall.reason == "no example is expected to be one"
