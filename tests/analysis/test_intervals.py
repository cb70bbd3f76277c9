"""Intervals hold the true value at their rate in simulation: a small one here, larger ones marked slow."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from scipy import stats  # type: ignore[import-untyped]  # comes without types

from studio.analysis.comparison import newcombe
from studio.analysis.intervals import of_items, wilson
from studio.analysis.tables import two_classes
from studio.core.evaluation import Figure

NAMES = ("accuracy", "precision", "recall", "specificity", "f1", "balanced_accuracy", "mcc", "kappa")


def truth(prevalence: float, sensitivity: float, specificity: float) -> dict[str, float]:
    cells = np.array([
        prevalence * sensitivity,
        (1 - prevalence) * (1 - specificity),
        prevalence * (1 - sensitivity),
        (1 - prevalence) * specificity,
    ])  # fmt: skip
    exact = two_classes("", *(round(cell * 10**9) for cell in cells))
    return {figure.name: figure.value for figure in exact.figures if figure.value is not None}


def coverage(n: int, times: int, prevalence: float, sensitivity: float, specificity: float) -> dict[str, float]:
    """How often each figure's interval holds the true value; where a figure does not exist nothing is said."""
    rng = np.random.default_rng(5)
    true = truth(prevalence, sensitivity, specificity)
    held: dict[str, list[bool]] = {name: [] for name in NAMES}
    for _ in range(times):
        bad = rng.binomial(n, prevalence)
        tp, fp = rng.binomial(bad, sensitivity), rng.binomial(n - bad, 1 - specificity)
        found = two_classes("", int(tp), int(fp), int(bad - tp), int(n - bad - fp))
        for name in NAMES:
            figure = found.get(name)
            assert figure is not None
            if figure.interval is not None:
                held[name].append(figure.interval.low - 1e-9 <= true[name] <= figure.interval.high + 1e-9)
    return {name: float(np.mean(values)) for name, values in held.items()}


def test_intervals_hold_the_true_value_at_about_their_rate() -> None:
    found = coverage(60, 120, 0.4, 0.9, 0.95)
    assert min(found.values()) > 0.88, found


@pytest.mark.slow
@pytest.mark.parametrize("n", [30, 100, 300])
@pytest.mark.parametrize("shape", [(0.3, 0.9, 0.95), (0.3, 0.98, 0.99), (0.5, 0.7, 0.8), (0.1, 0.8, 0.9)])
def test_intervals_hold_the_true_value_at_their_rate(n: int, shape: tuple[float, float, float]) -> None:
    found = coverage(n, 500, *shape)
    # 95 % less what 500 draws may miss by chance, and less the known sag of such intervals with very few positives.
    assert min(found.values()) > 0.9, found


def test_wilson_is_scipys() -> None:
    expected = stats.binomtest(7, 9).proportion_ci(0.95, "wilson")
    assert (wilson(7, 9).low, wilson(7, 9).high) == (expected.low, expected.high)


def test_resampled_means_agree_with_students_t() -> None:
    rows = np.random.default_rng(2).normal(5, 1, (400, 1)).round(1)
    found = of_items(rows, lambda sums: sums[:, 0] / 400)
    expected = stats.ttest_1samp(rows[:, 0], 0).confidence_interval(0.95)
    assert found is not None
    assert (found.low, found.high) == pytest.approx((expected.low, expected.high), abs=0.01)
    assert of_items(rows * 0 + 3, lambda sums: sums[:, 0]) is None


def test_newcombes_interval_is_that_of_his_paper() -> None:
    # Newcombe 1998 part 3, table III, method 10, for 36, 12, 2 and 0, to four places.
    found = newcombe(36, 12, 2, 0)
    assert (found.low, found.high) == pytest.approx((0.0569, 0.3404), abs=5e-4)
    assert newcombe(10, 0, 0, 0).low == pytest.approx(-newcombe(10, 0, 0, 0).high)


def paired_coverage(times: int, n: int) -> float:
    rng = np.random.default_rng(8)
    cells = np.array([0.7, 0.12, 0.06, 0.12])
    held = []
    for both, won, lost, neither in rng.multinomial(n, cells, size=times):
        found = newcombe(int(both), int(won), int(lost), int(neither))
        held.append(found.low <= 0.06 <= found.high)
    return float(np.mean(held))


def test_the_paired_interval_holds_the_true_difference_at_its_rate() -> None:
    assert paired_coverage(300, 80) > 0.92


@pytest.mark.slow
@pytest.mark.parametrize("n", [20, 80, 300])
def test_the_paired_interval_holds_at_every_size(n: int) -> None:
    assert paired_coverage(2000, n) > 0.935


def test_a_broken_interval_would_be_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    short: Callable[[str, int, int, str], Figure] = lambda name, k, n, reason: Figure(  # noqa: E731
        name, k / n if n else None, n, wilson(k * 50, n * 50) if n else None, k, reason
    )
    monkeypatch.setattr("studio.analysis.tables.share", short)
    assert min(coverage(60, 60, 0.4, 0.9, 0.95).values()) < 0.8
