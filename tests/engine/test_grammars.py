"""The contract's grammar in llama.cpp's own hands: what it lets through, the reader of replies understands."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from studio.core.grammar import RATIONALE_CHARACTERS, contract_grammar
from studio.core.harmony import Channels
from studio.core.labels import Label, LabelDecision
from studio.core.policy import OutputForm, Policy
from studio.core.reply import read_reply
from studio.core.run import SAMPLED
from studio.engine.llama.failure import WorkerFailure
from studio.engine.llama.grammar import END, Constraint, Grammars
from studio.engine.llama.model import Model
from studio.engine.llama.sampling import Sampler
from tests.engine.in_process import opened

A, V, R = LabelDecision.ALLOW, LabelDecision.VIOLATE, LabelDecision.REVIEW
LABELS = (Label("SP0", A), Label("SP2", V), Label("SP2.b", V), Label("SP20", V), Label("日本 é", A), Label("HR", R))
ODD = (*LABELS, Label('quo"te', V), Label("back\\slash", V), Label("line\nbreak", V), Label("<|end|>", V))
POLICIES = {
    **{form.value: Policy("p", "P", "Rules.", LABELS, form) for form in OutputForm},
    "odd_category": Policy("p", "P", "Rules.", ODD, OutputForm.CATEGORY_JSON),
    "odd_rationale": Policy("p", "P", "Rules.", ODD, OutputForm.RATIONALE_JSON),
}
NAMES = st.sampled_from(sorted(POLICIES))


@pytest.fixture(scope="module")
def model(random_gguf: Path) -> Iterator[Model]:
    found = opened(random_gguf)
    yield found
    found.close()


@pytest.fixture(scope="module")
def grammars(model: Model) -> Iterator[Grammars]:
    found = Grammars(model.vocabulary)
    yield found
    found.close()


def end_of(model: Model) -> int:
    return next(token for token in model.vocabulary.special if model.vocabulary.control_name(token) == END)


def accepts(grammars: Grammars, model: Model, gbnf: str, text: str) -> bool:
    """Whether the text, byte by byte and with its end, is a sentence of the grammar."""
    constraint = grammars.constraint(gbnf)
    try:
        # In this vocabulary the first 256 tokens are the bytes.
        for token in (*text.encode(), end_of(model)):
            if not constraint.allows(token):
                return False
            constraint.take(token)
        return True
    finally:
        constraint.close()


def understood(policy: Policy, final: str) -> bool:
    """Whether the reader finds in the final exactly the answer that it begins with."""
    verdict = read_reply(Channels("", final), policy)
    answers = [answer for answer in contract_grammar(policy).answers if final.startswith(answer.text)]
    longest = max(answers, key=lambda answer: len(answer.text))
    by_label = policy.form not in (OutputForm.VALID_INVALID, OutputForm.BINARY)
    return verdict.decision is longest.decision and (not by_label or verdict.labels == (longest.name,))


@st.composite
def finals(draw: st.DrawFn, policy: Policy) -> str:
    """A final as the contract asks for it, written by other means than the grammar."""
    text = draw(st.sampled_from(contract_grammar(policy).answers)).text
    if policy.form is not OutputForm.RATIONALE_JSON:
        return text
    words = st.text(st.characters(exclude_categories=["Cs", "Cc"], exclude_characters='"\\'), min_size=1, max_size=40)
    rules = draw(st.lists(words, max_size=8))
    why = draw(st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=RATIONALE_CHARACTERS))
    written = json.dumps(why, ensure_ascii=False)
    return f'{text} "rule_ids": {json.dumps(rules, ensure_ascii=False)}, "rationale": {written}}}'


@given(st.data(), NAMES)
@settings(max_examples=60)
def test_what_the_contract_asks_for_is_accepted_and_understood(
    model: Model, grammars: Grammars, data: st.DataObject, name: str
) -> None:
    policy = POLICIES[name]
    final = data.draw(finals(policy))

    assert accepts(grammars, model, contract_grammar(policy).gbnf, final)
    assert understood(policy, final)


@given(st.data(), NAMES)
@settings(max_examples=60)
def test_what_is_accepted_is_understood(model: Model, grammars: Grammars, data: st.DataObject, name: str) -> None:
    policy = POLICIES[name]
    final = data.draw(finals(policy))
    place = data.draw(st.integers(0, len(final)))
    other = final[:place] + data.draw(st.text(max_size=2)) + final[place + data.draw(st.integers(0, 2)) :]

    if accepts(grammars, model, contract_grammar(policy).gbnf, other):
        assert understood(policy, other)


@pytest.mark.parametrize("name", sorted(POLICIES))
def test_whatever_a_model_writes_in_a_grammar_is_understood(model: Model, grammars: Grammars, name: str) -> None:
    policy = POLICIES[name]
    for seed in range(4):
        final = babble(model, grammars.constraint(contract_grammar(policy).gbnf), seed)
        assert understood(policy, final), final


def babble(model: Model, constraint: Constraint, seed: int) -> str:
    """What a model of no knowledge writes that prefers control tokens, broken characters and quotes."""
    draw = np.random.default_rng(seed)
    written, sampler = bytearray(), Sampler(replace(SAMPLED, seed=seed))
    liked = [*model.vocabulary.special, 0, 0x80, 0xC3, 0xE0, 0xED, 0xF4, 0xFF, ord('"'), ord("\\"), ord("u")]
    while True:
        logits = draw.normal(0, 3, model.vocabulary.size).astype(np.float32)
        logits[liked] += 6.0
        token = constraint.choose(sampler, int(logits.argmax()), logits)
        if token == end_of(model):
            break
        assert not model.vocabulary.is_special(token)
        constraint.take(token)
        written += model.vocabulary.piece(token)
    constraint.close()
    return written.decode("utf-8")


def test_a_control_token_is_never_the_text_of_its_name(model: Model, grammars: Grammars) -> None:
    constraint = grammars.constraint('root ::= "<|end|>" .*')
    ids = {model.vocabulary.control_name(token): token for token in model.vocabulary.special}

    refused = [name for name, token in ids.items() if not constraint.allows(token)]

    assert set(refused) == set(ids)
    for token in b"<|end|>":
        constraint.take(token)
    assert [name for name, token in ids.items() if constraint.allows(token)] == [END]
    constraint.close()


def test_a_grammar_without_a_way_on_fails_in_a_code(model: Model, grammars: Grammars) -> None:
    constraint = grammars.constraint('root ::= "x"')
    logits = np.zeros(model.vocabulary.size, np.float32)
    logits[ord("x")] = -np.inf

    with pytest.raises(WorkerFailure, match="grammar_end"):
        constraint.choose(Sampler(SAMPLED), 0, logits)

    constraint.close()


def test_choosing_among_what_fits_keeps_the_proportions(model: Model, grammars: Grammars) -> None:
    """First drawing and then masking draws as masking first would."""
    logits = np.zeros(model.vocabulary.size, np.float32)
    logits[[ord("a"), ord("b"), ord("z")]] = [10.0, 11.0, 12.0]
    drawn = []
    for seed in range(600):
        sampler, constraint = Sampler(replace(SAMPLED, seed=seed)), grammars.constraint("root ::= [ab]")
        first = np.random.default_rng(seed).choice(3, p=np.exp([10.0, 11.0, 12.0]) / np.exp([10.0, 11.0, 12.0]).sum())
        drawn.append(constraint.choose(sampler, (ord("a"), ord("b"), ord("z"))[first], logits))
        constraint.close()

    assert set(drawn) == {ord("a"), ord("b")}
    # 0.269 of 600; four standard deviations are 0.073.
    assert drawn.count(ord("a")) / 600 == pytest.approx(0.269, abs=0.073)
