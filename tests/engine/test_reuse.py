"""A reused head of a prompt gives bit for bit what a fresh context gives."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from studio.core.run import Sampling
from studio.engine.client import EngineClient
from studio.engine.llama import binding
from studio.engine.llama.model import Model, open_model
from studio.engine.llama.sampling import Logits
from studio.engine.llama.sequence import Sequence, steps
from studio.engine.types import EngineSettings, GenerateRequest
from tests.engine.conftest import plain

BATCH = 32


@pytest.fixture(scope="module")
def model(random_gguf: Path) -> Iterator[Model]:
    binding.start()
    opened = open_model(random_gguf, EngineSettings(n_batch=BATCH, n_threads=1), "", lambda _: True)
    yield opened
    opened.close()


def decode(sequence: Sequence, tokens: list[int], prefix: int, answer: int) -> tuple[int, list[Logits]]:
    """(tokens reused, logits after the prompt and after each greedy token of the answer)."""
    ends = steps(len(tokens), prefix, BATCH)
    sequence.make_room(len(tokens) + answer)
    kept = decoded = sequence.begin(tokens, ends)
    for end in ends:
        if end > decoded:
            sequence.prefill(tokens[decoded:end])
            decoded = end
    found = [sequence.logits().copy()]
    for _ in range(answer):
        sequence.append(int(np.argmax(found[-1])))
        found.append(sequence.logits().copy())
    return kept, found


def fresh(model: Model, tokens: list[int], prefix: int, answer: int) -> list[Logits]:
    sequence = Sequence(model)
    _, found = decode(sequence, tokens, prefix, answer)
    sequence.close()
    return found


def test_a_shared_head_is_exact_even_after_an_answer_beyond_the_sliding_window(model: Model) -> None:
    draw = np.random.default_rng(3)
    policy = draw.integers(0, 256, 300).tolist()
    sequence = Sequence(model)
    decode(sequence, policy + draw.integers(0, 256, 40).tolist(), 300, 400)

    for length in (7, 90, 40):
        tokens = policy + draw.integers(0, 256, length).tolist()
        kept, found = decode(sequence, tokens, 300, 250)
        assert kept == 300
        for mine, other in zip(found, fresh(model, tokens, 300, 250), strict=True):
            np.testing.assert_array_equal(mine, other)
    sequence.close()


@settings(max_examples=40)
@given(data=st.data())
def test_edits_anywhere_are_exact(model: Model, data: st.DataObject) -> None:
    token = st.integers(0, 255)
    sequence = Sequence(model)
    tokens = data.draw(st.lists(token, min_size=2, max_size=200))
    for _ in range(4):
        prefix = data.draw(st.integers(0, len(tokens)))
        _, found = decode(sequence, tokens, prefix, 3)
        for mine, other in zip(found, fresh(model, tokens, prefix, 3), strict=True):
            np.testing.assert_array_equal(mine, other)
        place = data.draw(st.integers(0, len(tokens)))
        tokens = tokens[:place] + data.draw(st.lists(token, min_size=1, max_size=80)) + tokens[place:]
    sequence.close()


def test_an_edit_late_in_a_policy_keeps_what_comes_before_it(model: Model) -> None:
    policy = list(range(200))
    sequence = Sequence(model)
    decode(sequence, [*policy, 1], 200, 0)

    kept, _ = decode(sequence, [*policy[:190], 7, *policy[190:], 1], 201, 0)

    assert kept == 160  # whole steps of 32 before token 190
    sequence.close()


def test_what_was_generated_is_never_taken_for_a_prompt(model: Model) -> None:
    sequence = Sequence(model)
    _, found = decode(sequence, [1, 2, 3], 0, 5)
    spoken = [int(np.argmax(logits)) for logits in found[:-1]]

    kept, again = decode(sequence, [1, 2, 3, *spoken], 0, 0)

    assert kept == 0
    np.testing.assert_array_equal(again[0], fresh(model, [1, 2, 3, *spoken], 0, 0)[0])
    sequence.close()


def test_requests_say_how_much_was_reused_and_answer_the_same(random_gguf: Path) -> None:
    policy, items = plain("rule " * 200), [plain(f"item {n} " * 5) for n in range(3)]

    def ask(client: EngineClient, item: int) -> tuple[str, int]:
        request = GenerateRequest((policy, items[item]), prefix=1, max_output_tokens=300)
        answer = client.generate(request)
        return answer.raw, answer.cached_tokens

    with EngineClient() as client:
        client.load(random_gguf)
        warmed = [ask(client, 0), ask(client, 1), ask(client, 2), ask(client, 1)]
        client.generate(GenerateRequest((plain("other"),), sampling=Sampling(1.0), max_output_tokens=200))
        cold = ask(client, 1)
        client.warm((policy,))
        after_warming = ask(client, 1)

    assert [cached for _, cached in warmed] == [0, 1000, 1000, 1000]
    assert cold[1] == 0
    assert after_warming[1] == 1000
    assert cold[0] == after_warming[0] == warmed[1][0] == warmed[3][0]
