"""Which contracts have a grammar, and that its text cannot be left by any label."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from studio.core.confidence import rated
from studio.core.contract import instruction, reminder, writes_contract
from studio.core.errors import PolicyError
from studio.core.grammar import MOST_ANSWERS, contract_grammar
from studio.core.harmony import Channels
from studio.core.labels import Decision, Label, LabelDecision
from studio.core.policy import OutputForm, Policy
from studio.core.reply import read_reply
from studio.core.verdict import Status
from tests.core.answer_cases import BINARY, DUAL, JSON, LABEL, NAMED, PLAIN, WORDS, YES_NO

A, V, R = LabelDecision.ALLOW, LabelDecision.VIOLATE, LabelDecision.REVIEW


def policy(form: OutputForm, *labels: tuple[str, LabelDecision]) -> Policy:
    return Policy("p", "P", "Rules.", tuple(Label(*label) for label in labels), form)


def answers(of: Policy) -> dict[str, Decision]:
    return {answer.text: answer.decision for answer in contract_grammar(of).answers}


def test_the_answers_are_those_of_the_contract() -> None:
    assert answers(WORDS) == {"VALID": Decision.ALLOWED, "INVALID": Decision.VIOLATES}
    assert answers(BINARY) == {"0": Decision.ALLOWED, "1": Decision.VIOLATES}
    assert answers(LABEL)["ESC1"] is Decision.NEEDS_REVIEW
    assert answers(NAMED)["hate-speech"] is Decision.VIOLATES
    assert set(answers(DUAL)) == {"D-SP0", "D-SP2", "R-SP0", "R-SP2"}
    assert list(answers(JSON)) == [
        '{"violation": 0, "policy_category": "H0",',
        '{"violation": 0, "policy_category": "HR",',
        '{"violation": 1, "policy_category": "H2",',
        '{"violation": 1, "policy_category": "H3",',
        '{"violation": 1, "policy_category": "HR",',
    ]
    assert "ESCALATE" in answers(policy(OutputForm.VALID_INVALID, ("a", R)))
    without = policy(OutputForm.CATEGORY_JSON, ("SP2", V))
    assert answers(without)['{"violation": 0, "policy_category": "none"}'] is Decision.ALLOWED


@pytest.mark.parametrize(
    ("form", "end"), [(OutputForm.CATEGORY_JSON, "}"), (OutputForm.RATIONALE_JSON, ",")], ids=["flag", "rationale"]
)
def test_without_labels_there_is_no_category(form: OutputForm, end: str) -> None:
    of = policy(form)

    assert answers(of) == {f'{{"violation": 0{end}': Decision.ALLOWED, f'{{"violation": 1{end}': Decision.VIOLATES}
    assert "policy_category" not in contract_grammar(of).gbnf + instruction(of) + reminder(of)


def test_digits_decide_what_the_policys_text_says() -> None:
    turned = Policy("t", "T", "0 = content violates this policy\n1 = content is safe", (), OutputForm.BINARY)

    assert answers(turned) == {"0": Decision.VIOLATES, "1": Decision.ALLOWED}


@pytest.mark.parametrize(
    "of",
    [
        policy(OutputForm.LABEL),
        policy(OutputForm.LABEL, ("SP2", V), ("SP3", V)),
        policy(OutputForm.LABEL, ("SP0", A), ("SP1", R)),
        policy(OutputForm.RATIONALE_JSON, ("SP0", A)),
        policy(OutputForm.LABEL, ("a b", A), ("a-b", V)),
        policy(OutputForm.CATEGORY_JSON, ("SP2", A), ("sp2", V)),
        policy(OutputForm.LABEL, ("line\nbreak", A), ("b", V)),
        policy(OutputForm.LABEL, ("nul\0", A), ("b", V)),
        policy(OutputForm.CATEGORY_JSON, ("half \ud83d", A), ("b", V)),
        policy(OutputForm.LABEL, ("ok", A), *((f"V{number}", V) for number in range(MOST_ANSWERS))),
    ],
    ids=lambda of: f"{of.form} {[label.id for label in of.labels][:2]!a}",
)
def test_what_could_not_be_read_back_has_no_grammar(of: Policy) -> None:
    with pytest.raises(PolicyError, match="cannot be held to the answers of the policy 'P'"):
        contract_grammar(of)


@given(st.lists(st.text(max_size=12), min_size=2, max_size=4, unique=True), st.sampled_from(OutputForm))
def test_no_label_leaves_its_quotes(ids: list[str], form: OutputForm) -> None:
    of = policy(form, *((name, A if place % 2 else V) for place, name in enumerate(ids)))
    try:
        grammar = contract_grammar(of)
    except PolicyError:
        return

    first = grammar.gbnf.split("\n", 2)[form is OutputForm.RATIONALE_JSON]
    literals = re.findall(r'"((?:[^"\\]|\\U[0-9A-F]{8})*)"', first.partition("::=")[2])
    spelled = [re.sub(r"\\U(\w{8})", lambda code: chr(int(code[1], 16)), literal) for literal in literals]
    assert grammar.gbnf.isascii()
    assert spelled == [answer.text for answer in grammar.answers]


def test_the_studio_writes_the_contract_where_the_text_has_none() -> None:
    assert [writes_contract(of) for of in (JSON, LABEL, NAMED)] == [True, True, True]
    assert [writes_contract(of) for of in (PLAIN, WORDS, BINARY, YES_NO)] == [False, False, False, False]


@pytest.mark.parametrize("why", ["“quoted”", "a”, “violation”: 0, “x”: “b", "«no» ‘so’ …", "tab\tand SP3\u200b"])
def test_quotation_marks_in_a_rationale_do_not_break_its_object(why: str) -> None:
    final = f'{{"violation": 1, "policy_category": "H2", "rule_ids": [], "rationale": "{why}"}}'

    verdict = read_reply(Channels("", final), JSON)

    assert (verdict.status, verdict.decision, verdict.labels) == (Status.OK, Decision.VIOLATES, ("H2",))
    assert verdict.rationale == why


def test_what_looks_alike_in_an_object_is_read_alike() -> None:
    final = '{"violation": "１", "policy\u200b_category": "H2\u200b", "rationale": "x"}'

    verdict = read_reply(Channels("", final), JSON)

    assert (verdict.decision, verdict.labels) == (Decision.VIOLATES, ("H2",))


def test_labels_that_are_not_ascii_are_found_as_written_and_as_made_plain() -> None:
    of = policy(OutputForm.LABEL, ("Ａ１", A), ("日本", V))

    assert read_reply(Channels("", "Ａ１"), of).labels == ("Ａ１",)
    assert read_reply(Channels("", "A1"), of).labels == ("Ａ１",)
    assert read_reply(Channels("", '{"label": "日本"}'), of).labels == ("日本",)


def test_confidence_is_the_normalised_mass_of_the_decision() -> None:
    grammar = contract_grammar(JSON)
    verdict = read_reply(
        Channels("", '{"violation": 1, "policy_category": "H2", "rule_ids": [], "rationale": "x"}'), JSON
    )

    sure, alternatives = rated(grammar.answers, (-5.0, -6.0, -5.0, -6.0, -6.0), verdict)

    one, other = 1.0, 2.718281828
    total = 2 * other + 3 * one
    assert sure == pytest.approx((other + one) / total)
    assert dict(alternatives) == pytest.approx(
        {"H0": other / total, "HR": 2 * one / total, "H2": other / total, "H3": one / total}
    )


@pytest.mark.parametrize("logprobs", [(), (-1.0,), (float("-inf"),) * 5])
def test_without_numbers_for_each_answer_nothing_is_said(logprobs: tuple[float, ...]) -> None:
    verdict = read_reply(Channels("", '{"violation": 1, "policy_category": "H2",  "rationale": "x"}'), JSON)

    assert rated(contract_grammar(JSON).answers, logprobs, verdict) == (None, ())


def test_a_final_that_begins_otherwise_is_not_rated_by_the_contracts_beginning() -> None:
    verdict = read_reply(Channels("", "Answer: SP2"), LABEL)

    assert verdict.is_verdict
    assert rated(contract_grammar(LABEL).answers, (-1.0,) * 4, verdict) == (None, ())
