"""The line through two measured models, and what is read off it."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from studio.core.speed import ANSWER_TOKENS, PROMPT_TOKENS, Line, Rates, Sample, Speed, Work, estimate

positive = st.floats(1e-6, 1e6)


def test_a_third_model_is_read_off_the_line_of_two() -> None:
    line = Line.through((10, 1.5), (110, 6.5))
    assert line == Line(fixed=1.0, slope=0.05)
    assert line.at(1000) == pytest.approx(51)


@pytest.mark.parametrize("small", [(10, 9.0), (110, 1.0), (200, 1.0), (10, 0.1)])
def test_a_line_that_would_fall_or_begin_below_nothing_goes_through_the_large_model_alone(
    small: tuple[float, float],
) -> None:
    assert Line.through(small, (110, 5.5)) == Line(0.0, 0.05)


@given(positive, positive, positive, positive)
def test_the_measured_large_model_is_on_its_own_line_and_more_work_never_takes_less(
    near: float, quick: float, more: float, slow: float
) -> None:
    far = near + more
    line = Line.through((near, quick), (far, slow))
    assert line.at(far) == pytest.approx(slow)
    assert line.fixed >= 0
    assert line.at(2 * far) >= line.at(far)


def test_places_work_one_after_the_other_and_what_is_fixed_counts_once() -> None:
    quick = Rates.of(Sample(Work(1, 1), 0.002, 0.002), Sample(Work(101, 101), 0.003, 0.003))
    slow = Rates.of(Sample(Work(1, 1), 0.001, 0.001), Sample(Work(101, 101), 0.101, 0.101))
    both = estimate([(quick, Work(50, 100)), (slow, Work(20, 10))])
    assert 1 / both.read == pytest.approx(0.00199 + 50 * 1e-5 + 20 * 1e-3)
    assert 1 / both.write == pytest.approx(0.00199 + 100 * 1e-5 + 10 * 1e-3)


def test_seconds_of_an_item_are_those_of_its_prompt_and_its_answer() -> None:
    assert Speed(read=100, write=10).seconds() == pytest.approx(PROMPT_TOKENS / 100 + ANSWER_TOKENS / 10)
