"""The tree of answers, followed by a model that is a table."""

from __future__ import annotations

import math
import random

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from studio.engine.llama import rating
from studio.engine.llama.rating import Rating
from studio.engine.llama.sampling import Logits

N_VOCAB = 6
SEQUENCES = st.lists(
    st.lists(st.integers(0, N_VOCAB - 1), min_size=1, max_size=5), min_size=2, max_size=8, unique_by=tuple
)


class Table:
    """A model whose next token depends on the whole beginning; counts what it is asked."""

    def __init__(self, seed: int, heat: float) -> None:
        self.seed, self.heat, self.asked = seed, heat, 0

    def logits(self, path: list[int]) -> Logits:
        draw = random.Random(repr((self.seed, path)))
        return np.array([draw.gauss(0.0, self.heat) for _ in range(N_VOCAB)], np.float32)

    def ask(self, tokens: list[int], rows: int) -> list[Logits]:
        self.asked += 1
        return [self.logits(tokens[:end]) for end in range(len(tokens) - rows + 1, len(tokens) + 1)]

    def exact(self, sequence: list[int]) -> float:
        total = 0.0
        for place, token in enumerate(sequence):
            row = self.logits(sequence[:place]).astype(np.float64)
            total += float(row[token] - np.log(np.exp(row).sum()))
        return total


def follow(table: Table, sequences: list[list[int]], written: list[int]) -> tuple[float, ...]:
    found = Rating(sequences)
    for place, token in enumerate(written):
        found.see(table.logits(written[:place]))
        found.take(token)
    return found.logprobs(table.ask)


@given(SEQUENCES, SEQUENCES, st.integers(0, 9))
def test_every_answer_gets_the_product_of_its_tokens(
    answers: list[list[int]], other: list[list[int]], seed: int
) -> None:
    table = Table(seed, 1.0)

    found = follow(table, answers, random.Random(seed).choice([*answers, other[0]]))

    total = math.fsum(math.exp(table.exact(answer)) for answer in answers)
    for answer, logprob in zip(answers, found, strict=True):
        assert math.exp(logprob) / total == pytest.approx(math.exp(table.exact(answer)) / total, abs=1e-3)


def test_what_cannot_matter_is_not_asked_about() -> None:
    answers = [[0, 0, 0], [1, 1, 1], [2, 2, 2]]
    rows = {0: [20.0, 0, 0, 0, 0, 0], 1: [20.0, 0, 0, 0, 0, 0], 2: [20.0, 0, 0, 0, 0, 0]}
    found, table = Rating(answers), Table(1, 1.0)
    for place in range(3):
        found.see(np.array(rows[place], np.float32))
        found.take(0)

    logprobs = found.logprobs(table.ask)

    assert table.asked == 0
    assert logprobs[0] == pytest.approx(0.0, abs=1e-6)
    assert logprobs[1] == logprobs[2] == pytest.approx(-20.0, abs=1e-3)


def test_no_more_is_asked_than_agreed() -> None:
    answers = [[a, b, c, d] for a in range(6) for b in range(6) for c in range(6) for d in range(6)]
    table = Table(3, 0.1)

    found = follow(table, answers, answers[7])

    assert table.asked == rating.MOST_DECODES
    assert math.fsum(map(math.exp, found)) == pytest.approx(1.0)


def test_where_there_is_no_room_an_answer_keeps_the_share_it_had() -> None:
    found = Rating([[0], [1, 0], [1, 1]])
    found.see(np.zeros(N_VOCAB, np.float32))
    found.take(0)

    logprobs = found.logprobs(lambda tokens, rows: None)

    assert [math.exp(logprob) for logprob in logprobs] == pytest.approx([1 / 6, 1 / 12, 1 / 12])


def test_without_a_final_nothing_is_known() -> None:
    assert Rating([[0], [1]]).logprobs(lambda tokens, rows: None) == ()
