"""Drawing a token: the distribution of the logits, by the seed, at the vocabulary of the real model."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from studio.core.run import Sampling
from studio.engine.llama.sampling import Logits, Sampler, _nucleus

VOCABULARY = 201_088


def drawn(sampling: Sampling, logits: Logits, count: int) -> list[int]:
    sampler, best = Sampler(sampling), int(logits.argmax())
    return [sampler.choose(best, logits) for _ in range(count)]


@pytest.mark.parametrize("temperature", [0.5, 1.0, 2.0])
def test_tokens_are_drawn_as_often_as_they_are_probable(temperature: float) -> None:
    logits = np.full(VOCABULARY, -np.inf, np.float32)
    # Far from each other, in the first and the last block too; and a tail of light ones that weighs a tenth.
    places = [0, 511, 512, 100_000, VOCABULARY - 1]
    logits[places] = [3.0, 2.0, 2.5, 1.0, 2.0]
    logits[1000:3000] = -6.0
    weights = np.exp(logits.astype(np.float64) / temperature)
    wanted = weights / weights.sum()

    found = np.bincount(drawn(Sampling(temperature, 1.0, 5), logits, 4000), minlength=VOCABULARY) / 4000

    # Five standard deviations.
    assert np.abs(found[places] - wanted[places]).max() < 5 * np.sqrt(0.25 / 4000)
    assert abs(found[1000:3000].sum() - wanted[1000:3000].sum()) < 5 * np.sqrt(0.25 / 4000)
    assert found[wanted == 0].sum() == 0


@given(
    weights=arrays(np.float32, st.integers(1, 1300), elements=st.sampled_from([0.0, 0.125, 0.25, 0.5, 1.0])),
    top_p=st.sampled_from([0.05, 0.3, 0.5, 0.75, 0.999]),
)
def test_the_nucleus_is_the_fewest_that_hold_top_p(weights: Logits, top_p: float) -> None:
    weights[len(weights) // 2] = 1.0
    wide = weights.astype(np.float64)
    order = np.argsort(-wide, kind="stable")
    held = wide[order].cumsum()
    fewest = order[: int(np.searchsorted(held, top_p * held[-1])) + 1]

    assert _nucleus(weights, top_p).tolist() == sorted(fewest.tolist())


def test_the_tail_is_never_drawn_where_top_p_leaves_it_out() -> None:
    logits = np.random.default_rng(2).normal(0, 1, VOCABULARY).astype(np.float32)
    logits[[7, 70_000]] = [20.0, 19.0]

    assert set(drawn(Sampling(1.0, 0.9, 1), logits, 200)) == {7, 70_000}
    assert set(drawn(Sampling(1.0, 0.5, 1), logits, 200)) == {7}


def test_the_seed_alone_decides() -> None:
    logits = np.random.default_rng(3).normal(0, 2, VOCABULARY).astype(np.float32)

    first = drawn(Sampling(1.0, 1.0, 9), logits, 20)

    assert first == drawn(Sampling(1.0, 1.0, 9), logits, 20)
    assert first != drawn(Sampling(1.0, 1.0, 10), logits, 20)
    # Written down, so that no change of code or library changes what a seed in a run's record means.
    assert drawn(Sampling(1.0, 1.0, 9), np.zeros(1000, np.float32), 5) == [463, 373, 138, 866, 6]


@pytest.mark.parametrize("temperature", [1e-300, 1e-6, 0.01])
def test_the_coolest_temperature_takes_the_best(temperature: float) -> None:
    logits = np.linspace(-5, 5, 3000, dtype=np.float32)

    assert set(drawn(Sampling(temperature, 1.0, 1), logits, 20)) <= set(range(2980, 3000))
    assert set(drawn(Sampling(1e-300, 1.0, 1), logits, 20)) == {2999}
