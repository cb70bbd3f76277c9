from __future__ import annotations

import math

import pytest

from studio.core.citations import Citation, cited_rules
from studio.core.confidence import Token, confidence
from studio.core.harmony import Channels
from studio.core.policy import Policy
from studio.core.reply import read_reply
from tests.core.answer_cases import BINARY, JSON, LABEL, WORDS


def token(text: str, **other: float) -> Token:
    return text, [(name, math.log(share)) for name, share in {text: 1.0, **other}.items() if name != text or not other]


def of(text: str, *shares: tuple[str, float]) -> Token:
    return text, [(name, math.log(share)) for name, share in shares]


def rate(policy: Policy, *tokens: Token) -> tuple[float | None, dict[str, float]]:
    verdict = read_reply(Channels("", "".join(text for text, _ in tokens)), policy)
    assert verdict.is_verdict
    sure, alternatives = confidence(tokens, policy, verdict)
    return sure, dict(alternatives)


def test_the_first_token_of_a_word_decides() -> None:
    sure, others = rate(WORDS, of("IN", ("IN", 0.72), ("VALID", 0.18), ("The", 0.1)), token("VALID"))
    assert sure == pytest.approx(0.8)
    assert others == pytest.approx({"INVALID": 0.8, "VALID": 0.2})


def test_spellings_of_one_answer_are_added_up() -> None:
    sure, _ = rate(WORDS, of("VALID", ("VALID", 0.5), (" VALID", 0.1), ("Valid", 0.1), ("IN", 0.2), ("INV", 0.1)))
    assert sure == pytest.approx(0.7)


def test_the_word_behind_the_prompts_own_label_decides() -> None:
    head = [token(text) for text in ("Answer", " (", "VALID", " or", " IN", "VALID", "):")]
    sure, _ = rate(WORDS, *head, of(" VALID", (" VALID", 0.6), (" IN", 0.4)))
    assert sure == pytest.approx(0.6)


def test_a_digit_decides() -> None:
    sure, others = rate(BINARY, of("1", ("1", 0.9), ("0", 0.1)))
    assert sure == pytest.approx(0.9)
    assert set(others) == {"1", "0"}


def test_labels_part_at_their_letters_and_then_at_their_number() -> None:
    sure, others = rate(LABEL, of("SP", ("SP", 0.9), ("ESC", 0.1)), of("2", ("2", 0.5), ("3", 0.3), ("0", 0.2)))
    assert sure == pytest.approx(0.9 * 0.8)
    assert others == pytest.approx({"SP2": 0.45, "SP3": 0.27, "SP0": 0.18, "ESC1": 0.1})


def test_several_that_part_together_count_against_the_decision() -> None:
    sure, others = rate(LABEL, of("ESC", ("ESC", 0.6), ("SP", 0.4)), token("1"))
    assert sure == pytest.approx(0.6)
    assert others == pytest.approx({"ESC1": 0.6, "SP0 or SP2 or SP3": 0.4})


def test_in_json_the_flag_decides() -> None:
    head = [token(text) for text in ("{", '"violation"', ":")]
    tail = [token(text) for text in (",", ' "policy_category"', ": ", '"H2"', "}")]
    sure, others = rate(JSON, *head, of(" 1", (" 1", 0.6), (" 0", 0.2), (" null", 0.2)), *tail)
    assert sure == pytest.approx(0.75)
    assert others == pytest.approx({"1": 0.75, "0": 0.25})


def test_in_json_a_review_label_decides_over_the_flag() -> None:
    head = [token(text) for text in ('{"violation": ', "1", ', "policy_category": "')]
    sure, _ = rate(JSON, *head, of("HR", ("HR", 0.5), ("H2", 0.5)), token('"}'))
    assert sure == pytest.approx(0.5)


def test_without_tokens_or_without_a_verdict_nothing_is_known() -> None:
    verdict = read_reply(Channels("", "VALID"), WORDS)
    assert confidence([], WORDS, verdict) == (None, ())
    assert confidence([("VALID", [])], WORDS, verdict) == (None, ())
    nothing = read_reply(Channels("", "Hm."), WORDS)
    assert confidence([token("Hm.")], WORDS, nothing) == (None, ())


def test_a_cited_rule_is_known_or_invented() -> None:
    text = "Rule SP2.b applies, not SP9. An MP3 of COVID-19 is rule ZZ4 of nothing."
    found = cited_rules(text, WORDS)
    assert [(c.id, c.known) for c in found] == [("SP2.b", True), ("SP9", False), ("ZZ4", False)]
    assert all(text[c.start : c.end] == c.id for c in found)
    assert cited_rules("SP2", WORDS) == (Citation(0, 3, "SP2", True),)
