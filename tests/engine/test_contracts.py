"""Finals held to the contract, thinking held to a budget, and how probable each answer was: on the demo model."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from llama_cpp import Llama

from studio import paths
from studio.core.confidence import rated
from studio.core.content import Content
from studio.core.grammar import Grammar, contract_grammar
from studio.core.harmony import from_messages
from studio.core.labels import Label, LabelDecision
from studio.core.policy import OutputForm, Policy
from studio.core.prompt import Control, Origin, Plain, Segment, build_prompt
from studio.core.reply import read_reply
from studio.core.run import GREEDY, Sampling
from studio.core.verdict import Verdict
from studio.engine import protocol
from studio.engine.llama.model import Model
from studio.engine.types import Generation
from studio.exchange.policy_files import read_policy
from tests.engine.conftest import prompt
from tests.engine.in_process import Desk, opened

Open = Callable[..., Desk]
DAY = date(2026, 1, 2)
DEMOS = ("demo-animals", "demo-lending", "demo-notices")
A, V, R = LabelDecision.ALLOW, LabelDecision.VIOLATE, LabelDecision.REVIEW
ODD = (
    Label("SP0", A),
    Label("SP2", V),
    Label("SP2.b", V),
    Label("SP20", V),
    Label("ok \\ 'fine' é日", A),
    Label('a"b<|end|>', V),
    Label("<|return|>", R),
)


@pytest.fixture(scope="module")
def model(demo_gguf: Path) -> Iterator[Model]:
    found = opened(demo_gguf)
    yield found
    found.close()


@pytest.fixture
def desk() -> Iterator[Open]:
    made: list[Desk] = []

    def call(model: Model, n_seq: int = 8) -> Desk:
        made.append(Desk(model, n_seq))
        return made[-1]

    yield call
    for each in made:
        each.close()


@pytest.fixture(scope="module")
def peer(demo_gguf: Path) -> Iterator[Any]:
    """The same model through the library's own class, which shares nothing with our engine."""
    llama = Llama(str(demo_gguf), n_ctx=2048, swa_full=True, verbose=False, n_threads=1)
    yield llama
    llama.close()


def demo(name: str) -> Policy:
    return read_policy(paths.resource("policies") / name / "policy.md").policy


def golden(name: str) -> list[Content]:
    lines = (paths.resource("policies") / name / "golden.jsonl").read_text("utf-8").splitlines()
    found = [json.loads(line).get("content") for line in lines]
    return [Content.message(content) for content in found if isinstance(content, str)]


def ends(grammar: Grammar) -> tuple[tuple[Segment, ...], ...]:
    end = (Control("<|return|>"),) if grammar.whole else ()
    return tuple((Plain(((Origin.CONTRACT, answer.text),)), *end) for answer in grammar.answers)


def ask(
    desk: Desk,
    policy: Policy,
    content: Content,
    *,
    constrain: bool = True,
    budget: int | None = None,
    sampling: Sampling = GREEDY,
) -> int:
    grammar = contract_grammar(policy)
    made = build_prompt(policy, content, pinned_date=DAY)
    return desk.ask(
        made.segments,
        made.prefix,
        answer=1000,
        sampling=sampling,
        grammar=grammar.gbnf if constrain else "",
        answers=ends(grammar),
        thinking_budget=budget,
    )


def verdict_of(generation: Generation, policy: Policy) -> Verdict:
    return read_reply(from_messages(generation.messages, generation.stop), policy, stop=generation.stop)


@pytest.mark.parametrize("form", OutputForm)
def test_every_final_of_the_demo_sets_has_the_form_of_its_contract(model: Model, desk: Open, form: OutputForm) -> None:
    made = desk(model)
    policies = [replace(demo(name), form=form) for name in DEMOS]
    # The thinking is cut early in half of them: then the model is not sure, and the grammar has work to do. Only not
    # where a rationale is asked for: without thoughts the demo model makes it as long as it may be.
    asked = [
        (
            policy,
            ask(made, policy, content, budget=12 if number % 2 and form is not OutputForm.RATIONALE_JSON else None),
        )
        for policy, name in zip(policies, DEMOS, strict=True)
        for number, content in enumerate(golden(name)[4:6])
    ]

    made.run()

    for policy, number in asked:
        generation = made.answer(number)
        assert generation.stop == "return"
        assert verdict_of(generation, policy).is_verdict, generation.final
        if form in (OutputForm.CATEGORY_JSON, OutputForm.RATIONALE_JSON):
            assert json.loads(generation.final)["policy_category"] in [label.id for label in policy.labels]


def test_labels_of_any_spelling_are_written_whole(model: Model, desk: Open) -> None:
    made = desk(model)
    policy = replace(demo("demo-animals"), labels=ODD[4:], form=OutputForm.CATEGORY_JSON)
    asked = [
        ask(made, policy, Content.message("Puppies for sale"), budget=4, sampling=Sampling(1.5, top_p, seed))
        for seed, top_p in enumerate((1.0, 1.0, 1.0, 0.9))
    ]

    made.run()

    found = [verdict_of(made.answer(number), policy).labels for number in asked]
    assert all(len(labels) == 1 and policy.label(labels[0]) in ODD[4:] for labels in found)


def test_constrained_and_free_answers_run_side_by_side(model: Model, desk: Open) -> None:
    """The grammar of one request touches no other, and reasoning is the same with and without it."""
    policy = replace(demo("demo-animals"), form=OutputForm.LABEL, labels=(Label("Q7", A), Label("Q8.x", V)))
    together, strict = desk(model), desk(model, 1)
    contents = golden("demo-animals")[:4]
    held = [ask(together, policy, content, constrain=number % 2 == 0) for number, content in enumerate(contents)]
    alone = [ask(strict, policy, content, constrain=number % 2 == 0) for number, content in enumerate(contents)]

    together.run()
    strict.run()

    for number, (mine, other) in enumerate(zip(held, alone, strict=True)):
        first, second = together.answer(mine), strict.answer(other)
        assert first.raw == second.raw
        # Left alone, the demo model answers with the ids that it read in the policy's text.
        assert (first.final in ("Q7", "Q8.x")) is (number % 2 == 0)
    free = ask(strict, policy, contents[0], constrain=False)
    strict.run()
    assert strict.answer(free).thinking == strict.answer(alone[0]).thinking


def test_strict_answers_are_the_same_again(model: Model, desk: Open) -> None:
    made = desk(model, 1)
    policy = demo("demo-lending")
    contents = golden("demo-lending")[:2]

    def once(content: Content) -> Generation:
        number = ask(made, policy, content, budget=20)
        made.run()
        return made.answer(number)

    first = [once(content) for content in contents]
    again = [once(content) for content in reversed(contents)]

    for one, other in zip(first, reversed(again), strict=True):
        assert one.raw == other.raw
        assert one.answer_logprobs == other.answer_logprobs


@pytest.mark.parametrize("temperature", [0.0, 1.0])
def test_thinking_is_closed_at_its_budget(model: Model, desk: Open, temperature: float) -> None:
    made = desk(model)
    policy = demo("demo-animals")
    content = golden("demo-animals")[0]
    sampling = Sampling(temperature, 1.0, 5)
    whole = ask(made, policy, content, sampling=sampling)
    cut = [ask(made, policy, content, budget=budget, sampling=sampling) for budget in (1, 10, 100_000)]

    made.run()

    longest = made.answer(whole)
    assert (longest.thinking_cut, longest.thinking_tokens > 10) == (False, True)
    short, ten, none = (made.answer(number) for number in cut)
    assert (short.thinking_cut, short.thinking_tokens) == (True, 1)
    assert (ten.thinking_cut, ten.thinking_tokens) == (True, 10)
    assert ten.raw.count("<|end|><|start|>assistant<|channel|>final<|message|>") == 1
    assert [channel for channel, _ in ten.messages] == ["analysis", "final"]
    assert verdict_of(ten, policy).is_verdict
    assert (none.thinking_cut, none.thinking_tokens > 10) == (False, True)
    if temperature == 0.0:
        assert longest.thinking.startswith(ten.thinking)


def test_a_grammar_that_is_none_is_refused_in_a_code_and_hurts_nobody_else(model: Model, desk: Open) -> None:
    made = desk(model)
    bad = [
        made.ask(prompt("x"), grammar=text)
        for text in ("root ::= ", "nonsense", 'root ::= "a', "root ::= root", "a\0b")
    ]
    good = ask(made, demo("demo-animals"), golden("demo-animals")[0], budget=4)

    made.run()

    failed = {event.id: event.code for event in made.events if isinstance(event, protocol.Failed)}
    assert {number: code for number, code in failed.items() if number in bad[1:]} == dict.fromkeys(bad[1:], "grammar")
    assert made.answer(good).stop == "return"


def exact(peer: Any, made: Desk, number: int, sequences: list[list[int]]) -> list[float]:
    """The natural log of the probability of each sequence at the start of the final, token by token."""
    tokens = made.tokens(number)
    start = len(tokens) - tokens[::-1].index(_message(made))
    peer.reset()
    peer.eval(tokens[:start])
    found = []
    first = _logs(peer)
    for sequence in sequences:
        peer.n_tokens = start
        logs, total = first, 0.0
        for token in sequence:
            total += float(logs[token])
            peer.eval([token])
            logs = _logs(peer)
        found.append(total)
    return found


def _logs(peer: Any) -> npt.NDArray[np.float64]:
    """Natural logs of the probabilities of the next token."""
    row = np.ctypeslib.as_array(peer._ctx.get_logits(), shape=(peer.n_vocab(),)).astype(np.float64)
    logs: npt.NDArray[np.float64] = row - row.max() - np.log(np.exp(row - row.max()).sum())
    return logs


def _message(made: Desk) -> int:
    return made.model.vocabulary.tokens((Control("<|message|>"),), 10, 10)[0].id


WORDS = replace(demo("demo-animals"), form=OutputForm.VALID_INVALID)
CASES = {
    "words": (1, 3, WORDS),
    "digits": (8, 3, replace(WORDS, form=OutputForm.BINARY)),
    "label": (8, 3, replace(WORDS, form=OutputForm.LABEL)),
    "shared_prefixes": (1, 3, replace(WORDS, form=OutputForm.LABEL, labels=ODD[:4])),
    "category": (8, 3, replace(WORDS, form=OutputForm.CATEGORY_JSON)),
    "rationale": (8, 40, replace(WORDS, form=OutputForm.RATIONALE_JSON)),
    "odd_category": (1, 3, replace(WORDS, form=OutputForm.CATEGORY_JSON, labels=ODD)),
}
"""Sequences at a time, the budget of thinking (cut short, the model is not sure), and the policy."""


@pytest.mark.parametrize("name", CASES)
def test_confidence_is_the_chain_rule_over_the_answers(model: Model, desk: Open, peer: Any, name: str) -> None:
    n_seq, budget, policy = CASES[name]
    grammar = contract_grammar(policy)
    made = desk(model, n_seq)
    numbers = [ask(made, policy, content, budget=budget) for content in golden("demo-animals")[3 : 3 + min(n_seq, 2)]]

    made.run()

    vocabulary = made.model.vocabulary
    sequences = [[token.id for token in vocabulary.tokens(answer, 99, 9999)] for answer in ends(grammar)]
    for number in numbers:
        generation = made.answer(number)
        logs = exact(peer, made, number, sequences)
        total = math.fsum(math.exp(log) for log in logs)
        sure, alternatives = rated(grammar.answers, generation.answer_logprobs, verdict_of(generation, policy))
        wanted: dict[str, float] = {}
        for answer, log in zip(grammar.answers, logs, strict=True):
            wanted[answer.name] = wanted.get(answer.name, 0.0) + math.exp(log) / total
        decided = verdict_of(generation, policy).decision
        weight = sum(
            math.exp(log) / total
            for answer, log in zip(grammar.answers, logs, strict=True)
            if answer.decision is decided
        )
        assert sum(share for _, share in alternatives) == pytest.approx(1.0)
        assert dict(alternatives) == pytest.approx(wanted, abs=1e-3)
        assert sure == pytest.approx(weight, abs=1e-3)
