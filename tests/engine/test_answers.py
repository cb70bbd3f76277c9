"""Answers of a real llama.cpp: what is written, why it ends, what it is made of."""

from __future__ import annotations

import math
from itertools import groupby

import numpy as np
import pytest

from studio.core.errors import TooLongError
from studio.core.run import GREEDY, SAMPLED, Sampling
from studio.engine.client import EngineClient
from studio.engine.llama.sampling import best_candidates
from studio.engine.types import Delta, GenerateEvent, GenerateRequest, Started
from tests.engine.conftest import prompt
from tests.engine.tiny_gguf import vocabulary


def test_the_final_channel_is_streamed_in_whole_characters(chain_engine: EngineClient) -> None:
    events: list[GenerateEvent] = []

    answer = chain_engine.generate(GenerateRequest(prompt("start")), on_event=events.append)

    assert answer.messages == (("final", "éVALID"),)
    assert answer.raw == "<|channel|>final<|message|>éVALID<|return|>"
    assert answer.stop == "return"
    assert (answer.prompt_tokens, answer.output_tokens, answer.thinking_tokens) == (5, 7, 0)
    assert events[0] == Started(5, 0)
    deltas = [event for event in events if isinstance(event, Delta)]
    assert "".join(delta.text for delta in deltas) == answer.final
    assert {delta.channel for delta in deltas} == {"final"}
    assert 0 < answer.first_token_s <= answer.total_s


def test_rivals_in_the_final_channel_carry_the_models_own_probabilities(chain_engine: EngineClient) -> None:
    answer = chain_engine.generate(GenerateRequest(prompt("start"), top_candidates=3))

    assert [choice.text for choice in answer.final_tokens] == ["\ufffd", "\ufffd", "VALID"]
    others = len(vocabulary()[0]) - 3
    total = math.log(math.exp(12) + math.exp(11) + math.exp(10) + others)
    wanted = [("VALID", 12 - total), ("INVALID", 11 - total), ("z", 10 - total)]
    found = answer.final_tokens[2].candidates
    assert [text for text, _ in found] == [text for text, _ in wanted]
    assert [chance for _, chance in found] == pytest.approx([chance for _, chance in wanted], abs=1e-4)


def test_probabilities_sum_to_one_and_come_best_first() -> None:
    logits = np.random.default_rng(1).standard_normal(5000).astype(np.float32) * 9

    found = best_candidates(logits, 5000)

    assert sum(math.exp(chance) for _, chance in found) == pytest.approx(1.0)
    assert [chance for _, chance in found] == sorted((chance for _, chance in found), reverse=True)
    assert found[0][0] == int(np.argmax(logits))
    assert best_candidates(logits, 20) == found[:20]
    assert best_candidates(logits, 0) == []


def test_a_call_ends_an_answer(chain_engine: EngineClient) -> None:
    assert chain_engine.generate(GenerateRequest(prompt("c"))).stop == "call"


def test_an_answer_without_an_end_stops_at_its_limit(chain_engine: EngineClient) -> None:
    answer = chain_engine.generate(GenerateRequest(prompt("l"), max_output_tokens=50))

    assert (answer.stop, answer.output_tokens, answer.thinking_tokens) == ("limit", 50, 50)
    assert answer.messages == (("", "l" * 50),)


def test_deltas_come_at_a_pace_that_can_be_read(random_engine: EngineClient) -> None:
    events: list[GenerateEvent] = []

    answer = random_engine.generate(GenerateRequest(prompt("go"), max_output_tokens=300), on_event=events.append)

    deltas = [event for event in events if isinstance(event, Delta)]
    text = "".join(delta.text for delta in deltas)
    assert text == "".join(text for _, text in answer.messages)
    # About thirty a second, plus those that end one channel and begin another.
    changes = len(list(groupby(delta.channel for delta in deltas)))
    assert len(deltas) <= answer.total_s * 31 + 2 * changes + 2


def test_greedy_is_the_same_again_and_sampling_is_by_its_seed(random_engine: EngineClient) -> None:
    def ask(sampling: Sampling) -> str:
        return random_engine.generate(GenerateRequest(prompt("go"), sampling=sampling, max_output_tokens=60)).raw

    assert ask(GREEDY) == ask(GREEDY)
    assert ask(Sampling(1.0, 1.0, 7)) == ask(Sampling(1.0, 1.0, 7))
    assert len({ask(Sampling(1.0, 1.0, seed)) for seed in range(4)}) == 4


def test_sampling_follows_the_probabilities(chain_engine: EngineClient) -> None:
    answers = [
        chain_engine.generate(GenerateRequest(prompt("start"), sampling=Sampling(1.0, 1.0, seed))).final
        for seed in range(200)
    ]

    # 0.665, 0.245, 0.090: three standard deviations of 200 draws are 0.10.
    assert 0.56 <= answers.count("éVALID") / 200 <= 0.77
    assert 0.15 <= answers.count("éINVALID") / 200 <= 0.34


def test_top_p_leaves_the_tail_out(chain_engine: EngineClient) -> None:
    narrow = {
        chain_engine.generate(GenerateRequest(prompt("start"), sampling=Sampling(1.0, 0.5, seed))).final
        for seed in range(30)
    }
    assert narrow == {"éVALID"}


@pytest.mark.parametrize(("seed", "used"), [(5, 5), (-1, 2**32 - 1), (2**32 + 3, 3)])
def test_the_seed_that_was_used_is_told(chain_engine: EngineClient, seed: int, used: int) -> None:
    assert chain_engine.generate(GenerateRequest(prompt("c"), sampling=Sampling(1.0, 1.0, seed))).seed == used
    assert chain_engine.generate(GenerateRequest(prompt("c"), sampling=GREEDY)).seed == 0
    assert SAMPLED.temperature == 1.0


def test_too_long_is_told_with_its_numbers_before_anything_is_decoded(random_engine: EngineClient) -> None:
    events: list[GenerateEvent] = []

    with pytest.raises(TooLongError) as caught:
        random_engine.generate(GenerateRequest(prompt("x" * 8191)), on_event=events.append)

    assert (caught.value.needed, caught.value.available) == (8192 + 64, 8192)
    assert events == []


def test_a_wish_for_a_long_answer_counts(random_engine: EngineClient) -> None:
    with pytest.raises(TooLongError) as caught:
        random_engine.generate(GenerateRequest(prompt("x" * 8000), max_output_tokens=500))
    assert (caught.value.needed, caught.value.available) == (8501, 8192)


def test_the_context_grows_with_need(random_engine: EngineClient) -> None:
    short = random_engine.generate(GenerateRequest(prompt("x"), max_output_tokens=4))
    long = random_engine.generate(GenerateRequest(prompt("x" * 6000), max_output_tokens=4))

    assert short.n_ctx >= 4096
    assert long.n_ctx == 8192
