"""Comparisons: worked by hand, as scipy says, and "same" where both sides are equally good."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats  # type: ignore[import-untyped]  # comes without types

from studio.analysis.comparison import compare, exchanged, mcnemar
from studio.analysis.stability import majority, stability
from studio.analysis.tables import f1_of
from studio.core.errors import InputError
from studio.core.evaluation import Change, Judged
from studio.core.labels import Decision
from studio.core.verdict import Status
from tests.analysis.making import ALLOWED, REVIEW, VIOLATES, judged, table


def paired(*kinds: tuple[bool, bool, int]) -> tuple[list[Judged], list[Judged]]:
    """Two sides over the same violating examples: right or wrong before, right or wrong after, and how many."""
    before: list[Judged] = []
    after: list[Judged] = []
    for first, second, count in kinds:
        for _ in range(count):
            number = len(before)
            before.append(judged(number, VIOLATES, VIOLATES if first else ALLOWED))
            after.append(judged(number, VIOLATES, VIOLATES if second else ALLOWED))
    return before, after


@pytest.mark.parametrize(
    ("lost", "won", "change"), [(1, 12, Change.BETTER), (12, 1, Change.WORSE), (5, 8, Change.SAME), (0, 5, Change.SAME)]
)
def test_the_word_follows_mcnemars_exact_test(lost: int, won: int, change: Change) -> None:
    found = compare(*paired((True, True, 60), (True, False, lost), (False, True, won), (False, False, 4)))
    assert found.p == pytest.approx(stats.binomtest(lost, lost + won, 0.5).pvalue)
    assert found.change is change
    assert found.words.startswith({"same": "The same within noise (p = "}.get(change, change.capitalize()))
    assert found.accuracy.value == pytest.approx((won - lost) / (64 + lost + won))
    assert (len(found.got_better), len(found.got_worse), len(found.both_wrong)) == (won, lost, 0)


def test_no_difference_at_all_is_the_same() -> None:
    found = compare(*paired((True, True, 9)))
    assert (found.change, found.p, found.got_better, found.got_worse) == (Change.SAME, 1.0, (), ())
    assert mcnemar(0, 0) == 1.0
    assert compare([], []).words.startswith("There is nothing to compare")


def test_flips_and_non_verdicts_are_listed_where_they_belong() -> None:
    before = [
        judged(0, VIOLATES, ALLOWED),
        judged(1, VIOLATES, VIOLATES),
        judged(2, VIOLATES, ALLOWED),
        judged(3, ALLOWED, Status.REFUSED),
        judged(4, None, ALLOWED),
        judged(5, ALLOWED, ALLOWED),
    ]
    after = [
        judged(0, VIOLATES, VIOLATES),
        judged(1, VIOLATES, Status.UNPARSED),
        judged(2, VIOLATES, REVIEW),
        judged(3, ALLOWED, ALLOWED),
        judged(4, None, VIOLATES),
        judged(6, ALLOWED, ALLOWED),
    ]
    found = compare(before, after)
    assert [flip.id for flip in found.got_better] == ["0", "3"]
    assert [flip.id for flip in found.got_worse] == ["1"]
    assert [flip.id for flip in found.both_wrong] == ["2"]
    assert (found.n, found.only_before, found.only_after) == (4, 1, 1)
    assert found.over_verdicts.before.n == 2


def test_the_other_figures_differ_by_what_they_should() -> None:
    rng = np.random.default_rng(4)
    first = table(40, 10, 20, 50)
    second = [
        judged(int(item.id), item.expected, item.expected if rng.random() < 0.4 else item.decision)  # type: ignore[arg-type]
        for item in first
    ]
    found = {difference.name: difference for difference in compare(first, second).others}
    assert set(found) == {"recall", "specificity", "precision", "f1"}
    for difference in found.values():
        assert difference.value is not None
        assert difference.interval is not None
        assert difference.before.value is not None
        assert difference.after.value is not None
        assert difference.value == pytest.approx(difference.after.value - difference.before.value)
        assert difference.interval.low < difference.value < difference.interval.high


def said_same(times: int, n: int) -> float:
    """How often two equally good sides, whose errors are partly the same, are called the same."""
    rng = np.random.default_rng(6)
    same = []
    for _ in range(times):
        hard = rng.random(n) < 0.2
        chance = np.where(hard, 0.5, 0.95)
        before, after = rng.random(n) < chance, rng.random(n) < chance
        kinds = [(True, True), (True, False), (False, True), (False, False)]
        counts = [(a, b, int(((before == a) & (after == b)).sum())) for a, b in kinds]
        lost, won = counts[1][2], counts[2][2]
        same.append(mcnemar(lost, won) >= 0.05)
        if times <= 20:
            assert (compare(*paired(*counts)).change is Change.SAME) == same[-1]
    return float(np.mean(same))


def test_two_equal_versions_are_the_same() -> None:
    assert said_same(20, 120) >= 0.9


@pytest.mark.slow
@pytest.mark.parametrize("n", [30, 120, 1000])
def test_two_equal_versions_are_the_same_95_times_in_100(n: int) -> None:
    assert said_same(4000, n) >= 0.95


@pytest.mark.parametrize(
    ("outcomes", "decision", "status", "tie"),
    [
        ((VIOLATES, VIOLATES, ALLOWED), VIOLATES, Status.OK, False),
        ((VIOLATES, ALLOWED), REVIEW, Status.OK, True),
        ((VIOLATES, VIOLATES, ALLOWED, ALLOWED, REVIEW), REVIEW, Status.OK, True),
        ((VIOLATES, Status.REFUSED), VIOLATES, Status.OK, False),
        ((Status.REFUSED, Status.EMPTY, Status.EMPTY), None, Status.EMPTY, False),
        ((VIOLATES, Status.EMPTY, Status.EMPTY), None, Status.EMPTY, False),
        ((ALLOWED,), ALLOWED, Status.OK, False),
    ],
)
def test_the_majority_decides_and_a_tie_asks_for_a_person(
    outcomes: tuple[Decision | Status, ...], decision: Decision | None, status: Status, tie: bool
) -> None:
    group = [judged(0, VIOLATES, outcome, p_violates=0.5) for outcome in outcomes]
    chosen = majority(group)
    assert (chosen.decision, chosen.status) == (decision, status)
    assert stability([group]).items[0].tie is tie


def test_flip_rates_by_item_and_overall() -> None:
    steady = [judged(0, VIOLATES, VIOLATES)] * 4
    shaky = [judged(1, VIOLATES, outcome) for outcome in (ALLOWED, VIOLATES, VIOLATES, Status.EMPTY)]
    found = stability([steady, shaky, [judged(2, VIOLATES, VIOLATES)]])
    assert [item.flip_rate for item in found.items] == [0.0, 0.5, 0.0]
    assert found.items[1].outcomes == (("violates", 2), ("allowed", 1), ("empty", 1))
    assert (found.changed.k, found.changed.n) == (1, 2)
    assert found.flip_rate.value == pytest.approx(0.25)
    assert found.flip_rate.interval is not None
    once = stability([steady[:1]])
    assert once.changed.value is None
    assert once.changed.reason
    with pytest.raises(InputError):
        stability([[]])


def test_labels_of_a_majority_are_those_that_most_name() -> None:
    group = [judged(0, VIOLATES, VIOLATES, labels=labels) for labels in (("V1",), ("V1", "V2"), ("V1",), ("V2",))]
    assert majority(group).labels == ("V1",)


def gained(sums: np.ndarray) -> np.ndarray:
    return np.asarray(f1_of(*sums[:, 3:].T) - f1_of(*sums[:, :3].T))


@pytest.mark.parametrize(("better", "p"), [(0, 1.0), (1, 1.0), (6, 2 / 2**6), (9, 2 / 2**9)])
def test_exchanging_pairs_gives_the_p_of_all_exchanges(better: int, p: float) -> None:
    """Twenty right on both sides, and some that only the second gets right: as extreme are none and all exchanged."""
    rows = np.array([[1, 0, 0, 1, 0, 0]] * 20 + [[0, 0, 1, 1, 0, 0]] * better, dtype=np.float64)
    assert exchanged(rows, gained) == pytest.approx(p, abs=0.01)


def test_one_example_that_turned_is_noise_for_every_figure() -> None:
    found = compare(*paired((True, True, 11), (False, True, 1)))
    assert found.change is Change.SAME
    f1 = next(other for other in found.others if other.name == "f1")
    # All resamples that hold the one example find it better; exchanging it shows that it is one.
    assert f1.interval is not None
    assert f1.interval.low > 0
    assert f1.p == 1.0
