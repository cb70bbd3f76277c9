"""Thresholds keep their promise in simulation, and are refused with numbers where the examples do not bear it."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats  # type: ignore[import-untyped]  # comes without types

from studio.analysis.thresholds import Rule, choose, least_rate, needed, rank
from studio.core.errors import InputError
from studio.core.evaluation import Judged
from studio.core.verdict import Status
from tests.analysis.making import ALLOWED, VIOLATES, judged


def held_out(bad: list[float | None], fine: list[float | None]) -> list[Judged]:
    items = [judged(n, VIOLATES, VIOLATES, p_violates=p) for n, p in enumerate(bad)]
    return items + [judged(1000 + n, ALLOWED, ALLOWED, p_violates=p) for n, p in enumerate(fine)]


def test_too_few_examples_are_refused_with_numbers() -> None:
    found = choose(held_out([0.9] * 40, [0.1] * 300), miss=0.01, false_flag=0.01)
    assert found.allow.at is None
    assert found.allow.needed == 299
    assert "299" in found.allow.reason
    assert "40" in found.allow.reason
    assert f"{least_rate(40, 'exact'):.1%}" in found.allow.reason
    assert found.flag.at == pytest.approx(0.1)
    assert found.auto_allowed.k == 0
    assert choose([], miss=0.1, false_flag=0.1).allow.reason


@pytest.mark.parametrize("rate", [0.001, 0.01, 0.05, 0.2])
def test_the_exact_rule_is_clopper_and_pearsons_bound(rate: float) -> None:
    least = needed(rate, "exact")
    for n in (least - 1, least, 2 * least, 3 * least + 7):
        place = rank(n, rate, "exact")
        if place:
            # The one-sided upper bound at 95 % is the upper end of the two-sided interval at 90 %.
            bound = stats.binomtest(place - 1, n).proportion_ci(0.9, "exact").high
            assert bound <= rate + 1e-12
        if place < n:
            assert stats.binomtest(place, n).proportion_ci(0.9, "exact").high > rate
    assert rank(least - 1, rate, "exact") == 0
    assert rank(least, rate, "exact") == 1


def test_between_the_thresholds_a_person_decides() -> None:
    rng = np.random.default_rng(1)
    bad, fine = list(rng.beta(6, 2, 400)), list(rng.beta(2, 6, 600))
    found = choose(held_out([*bad, None], [*fine, None]), miss=0.05, false_flag=0.02)
    assert found.allow.at is not None
    assert found.flag.at is not None
    assert 0 < found.allow.at <= found.flag.at < 1
    assert found.allow.observed is not None
    assert (found.allow.observed.value or 0) < 0.05
    assert sum(found_k.k or 0 for found_k in (found.auto_allowed, found.auto_flagged, found.to_review)) == 1002
    assert "95% confidence" in found.allow.promise
    assert "exchangeable" in found.assumption


def test_where_both_would_decide_nothing_is_allowed_that_would_be_flagged() -> None:
    found = choose(held_out([0.9] * 300, [0.1] * 300), miss=0.05, false_flag=0.05)
    assert found.allow.at == found.flag.at
    assert (found.auto_flagged.k, found.auto_allowed.k, found.to_review.k) == (300, 0, 300)


def test_an_example_without_a_probability_goes_to_a_person() -> None:
    silent = [judged(n, VIOLATES, Status.REFUSED) for n in range(80)]
    found = choose(silent, miss=0.05, false_flag=0.05)
    assert found.allow.at == 1.0
    assert found.to_review.k == 80


@pytest.mark.parametrize("rate", [0.0, 1.0, -1.0, 2.0])
def test_a_rate_that_is_none_is_refused(rate: float) -> None:
    with pytest.raises(InputError):
        choose([], miss=rate, false_flag=0.1)


def broken_promises(rule: Rule, times: int, n: int, rate: float) -> tuple[float, float]:
    """How often the true miss rate is over the wanted one, and the mean of the true miss rate; content is uniform."""
    rng = np.random.default_rng(3)
    rates = []
    for _ in range(times):
        scores = rng.random(n)
        place = rank(n, rate, rule)
        rates.append(np.sort(scores)[place - 1] if place else 0.0)
    return float(np.mean(np.array(rates) > rate)), float(np.mean(rates))


def test_the_promise_holds_in_simulation() -> None:
    assert broken_promises("exact", 2000, 300, 0.05)[0] < 0.06
    assert broken_promises("conformal", 2000, 300, 0.05)[1] < 0.051


@pytest.mark.slow
@pytest.mark.parametrize("n", [60, 300, 3000])
def test_the_promise_holds_at_every_size(n: int) -> None:
    assert broken_promises("exact", 20000, n, 0.05)[0] <= 0.053
    assert broken_promises("conformal", 20000, n, 0.05)[1] <= 0.0503


@given(
    st.lists(st.none() | st.floats(0, 1), max_size=60),
    st.lists(st.none() | st.floats(0, 1), max_size=60),
    st.sampled_from(["exact", "conformal"]),
    st.floats(0.01, 0.5),
)
def test_whatever_the_probabilities_no_more_is_missed_than_the_bound_allows(
    bad: list[float | None], fine: list[float | None], rule: Rule, rate: float
) -> None:
    found = choose(held_out(bad, fine), miss=rate, false_flag=rate, rule=rule)
    for threshold, values in ((found.allow, bad), (found.flag, fine)):
        if threshold.at is None:
            assert threshold.reason
        else:
            assert threshold.observed is not None
            assert (threshold.observed.k or 0) <= max(0, rank(len(values), rate, rule) - 1)
    if found.allow.at is not None and found.flag.at is not None:
        assert found.allow.at <= found.flag.at
