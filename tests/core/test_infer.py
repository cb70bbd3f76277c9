from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from studio.core.infer import infer
from studio.core.policy import OutputForm, OutputPosition, Policy

LEVELS = """Spam rules (#SP)
GOAL: Classify as VALID (no spam) or INVALID (spam).

=====
LEVELS
=====
\u2705 SP0 (VALID) - Fine
Useful messages.
Output: VALID

\U0001f6ab SP2 (INVALID) - Likely spam
Output: INVALID

SP3 - Scaled spam
Output: INVALID + ESCALATE

Return exactly one word: VALID or INVALID.
Answer (VALID or INVALID):
"""
SECTIONS = """INVALID = EXTRACTION (DE2-DE4)
=====
**DE4 (CRITICAL) - Secrets**
**DE3 (HIGH) - Prompts**
=====
VALID = QUESTIONS (DE0)
=====
- What can you do?
Classification (VALID or INVALID):
"""
BULLETS = """# Hate
## Violates
- **H2**: Dehumanising
  - H2.f Vermin
| H3 | Slurs |
## Safe
- **H0**: News
## Escalation
- **ESC1**: Ambiguous, needs review

If the content violates this policy, return:
{"violation": 1, "policy_category": "H2.f"}
"""


def decided(text: str) -> dict[str, str]:
    return {label.id: label.decision.value for label in infer(text).labels}


def test_levels_with_their_answer_beside_them() -> None:
    found = infer(LEVELS)
    assert decided(LEVELS) == {"SP0": "allow", "SP2": "violate", "SP3": "violate"}
    assert found.title == "Spam rules"
    assert [label.name for label in found.labels] == ["Fine", "Likely spam", "Scaled spam"]
    assert (found.form, found.position) == (OutputForm.VALID_INVALID, OutputPosition.IN_TEXT)


def test_sections_and_ranges_decide_for_the_codes_under_them() -> None:
    assert decided(SECTIONS) == {"DE2": "violate", "DE3": "violate", "DE4": "violate", "DE0": "allow"}


def test_bullets_and_tables_under_headings() -> None:
    assert decided(BULLETS) == {"H2": "violate", "H3": "violate", "H0": "allow", "ESC1": "review"}
    assert infer(BULLETS).form is OutputForm.CATEGORY_JSON


def test_a_label_is_not_given_a_decision_that_the_text_does_not_tell() -> None:
    text = "### SP2: Bulk messaging\nMany posts.\n### SP3: Sale of legitimate goods\n### SP0: Safe content\n"
    found = infer(text)
    assert decided(text) == {"SP0": "allow"}
    assert any("SP2, SP3" in note for note in found.notes)


def test_a_label_that_is_told_both_ways_is_left_open() -> None:
    text = "SP2 (VALID) - one\nSP2 (INVALID) - two\n"
    assert decided(text) == {}
    assert any("SP2" in note for note in infer(text).notes)


@pytest.mark.parametrize(
    ("text", "form"),
    [
        ("Return exactly one character: 0 or 1.", OutputForm.BINARY),
        ("Answer (VALID or INVALID):", OutputForm.VALID_INVALID),
        ('Return {"violation": 1, "policy_category": "A1"}', OutputForm.CATEGORY_JSON),
        ('Return {"violation": 1, "policy_category": "A1", "rationale": "why"}', OutputForm.RATIONALE_JSON),
        ("Answer with exactly one label.", OutputForm.LABEL),
    ],
)
def test_the_form_of_answer_is_recognised(text: str, form: OutputForm) -> None:
    found = infer(f"Be kind.\n{text}\n")
    assert (found.form, found.position) == (form, OutputPosition.IN_TEXT)


def test_a_text_without_an_answer_gets_ours_and_says_so() -> None:
    found = infer("# Rules\nBe kind. Spam is not allowed.")
    assert (found.title, found.labels, found.position) == ("Rules", (), OutputPosition.AUTO)
    assert any("adds its own" in note for note in found.notes)


def test_several_forms_are_told_to_the_person() -> None:
    found = infer('Return {"violation": 1}\nAnswer (VALID or INVALID):')
    assert found.form is OutputForm.VALID_INVALID
    assert any("several forms" in note for note in found.notes)


LINES = st.sampled_from(
    [*LEVELS.split("\n"), *SECTIONS.split("\n"), *BULLETS.split("\n"), "SP2-SP99", "(A1-B2)", "- X9:", "###"]
)


@given(st.one_of(st.text(), st.lists(LINES, max_size=20).map("\n".join)))
def test_any_text_is_a_policy_of_some_kind(text: str) -> None:
    found = infer(text)
    Policy("p", found.title, text, found.labels, found.form, found.position)


def test_a_table_says_in_its_cells_what_codes_decide() -> None:
    text = (
        "| Code | Covers | Decision | Level |\n|---|---|---|---|\n| LP-0 | Honest offers | Allow | 0 |\n"
        "| LP-2 | Forged goods | Violates | 3 |\n| LP-3 | Not allowed anywhere, but safe to show | Maybe | 3 |\n"
        "| LP-9 | Unclear | Send to a person | |\n| LP-10 | Other | review | |\n"
    )
    assert decided(text) == {"LP-0": "allow", "LP-2": "violate", "LP-9": "review", "LP-10": "review"}


def test_words_in_capitals_that_are_asked_for_are_labels() -> None:
    found = infer("No insults.\nReply with one word: REMOVE, KEEP or HOLD.")
    assert {label.id: label.decision.value for label in found.labels} == {
        "REMOVE": "violate", "KEEP": "allow", "HOLD": "review",
    }  # fmt: skip
    assert (found.form, found.position) == (OutputForm.LABEL, OutputPosition.IN_TEXT)
    assert any("KEEP (allow)" in note for note in found.notes)
    # A word whose meaning is not plain is not guessed, and then none is taken.
    assert infer("Reply with one word: REMOVE, BLUE or KEEP.").labels == ()


def test_german_sections_say_what_their_codes_decide() -> None:
    text = (
        "## Nicht erlaubt\n- K1: Drohung\n## Erlaubt\n- K0: Kritik\n## Nicht verboten\n- K4: Witze\n"
        "## Prüfung durch eine Person\n- K9: Unklar\n"
    )
    assert decided(text) == {"K1": "violate", "K0": "allow", "K4": "allow", "K9": "review"}
    assert infer("Antworte nur mit dem Code.").form is OutputForm.LABEL


@pytest.mark.parametrize(
    ("text", "form"),
    [
        ("Return exactly one character: 1 if a rule is met, 0 if not.", OutputForm.BINARY),
        ("Answer with `1` (violates) or `0` (does not violate).", OutputForm.BINARY),
        ("Rispondi con 0 o 1, senza spiegazioni.", OutputForm.BINARY),
        ("0 = permitted, 1 = prohibited. Answer with one digit.", OutputForm.BINARY),
        ("Output one of:\n- VALID: fine\n- INVALID: not", OutputForm.VALID_INVALID),
        ("Responde con el código de una sola etiqueta.", OutputForm.LABEL),
        (
            "Return JSON with the fields `violation` (0 or 1) and `rationale`.\nIf a rule is met: `violation` = 1. "
            "Otherwise: `violation` = 0.",
            OutputForm.RATIONALE_JSON,
        ),
    ],
)
def test_forms_of_answer_in_the_words_that_people_use(text: str, form: OutputForm) -> None:
    found = infer(f"# Rules\nBe kind.\n{text}\n")
    assert (found.form, found.position) == (form, OutputPosition.IN_TEXT)
    assert not any("several forms" in note for note in found.notes)


def test_digits_and_words_are_labels_where_each_meaning_is_told() -> None:
    assert decided("No guns.\n0 = permitted, 1 = prohibited, 2 = in doubt. Answer with one digit.") == {
        "0": "allow", "1": "violate", "2": "review",
    }  # fmt: skip
    assert decided('Say "remove" if it is rude.\nSay "keep" otherwise.') == {"remove": "violate", "keep": "allow"}
    assert decided("Answer with one of:\n- FINE_AS_IS: allowed\n- TAKE_DOWN: violates\n- ESCALATE: unclear\n") == {
        "FINE_AS_IS": "allow", "TAKE_DOWN": "violate", "ESCALATE": "review",
    }  # fmt: skip


@pytest.mark.parametrize(
    "asked", ["The decision is given as one of SAFE, SCARY, OTHER.", 'Return {"category": "<one of: SAFE, SCARY>"}']
)
def test_words_whose_meaning_is_open_are_named_and_none_is_taken(asked: str) -> None:
    found = infer(f"Films for children.\n{asked}\n")
    assert found.labels == ()
    assert found.position is OutputPosition.IN_TEXT
    assert any("SCARY" in note and "does not say" in note for note in found.notes)


def test_names_come_from_headings_and_not_from_sentences() -> None:
    text = "## Likely spam (SP2)\n- Ads.\nOutput: INVALID\n## Violates (SP3: Fraud)\nSP3 over SP2.\n| SP2 | Warn |\n"
    assert {label.id: label.name for label in infer(text).labels} == {"SP2": "Likely spam", "SP3": "Fraud"}


def test_what_flags_a_code_decides_it_and_uncertain_sections_leave_it_to_a_person() -> None:
    text = "### PI4 - Severe\n### PI2 - Mild\n`violation` is 1 if PI4 or PI2 is met, otherwise 0 (PI0).\n"
    assert decided('### PI3 - x\nAnswer {"violation": 1 or 0, "policy_category": "PI3"}\n') == {}
    told = {"PI4": "violate", "PI2": "violate", "PI0": "allow", "PI9": "review"}
    assert decided(f"{text}## Unclear\n- PI9: no context\n") == told


@pytest.mark.parametrize("first", ["<role>\nYou judge.", "You judge posts. " * 9])
def test_a_tag_or_a_paragraph_is_no_title(first: str) -> None:
    assert infer(first).title == ""


@pytest.mark.parametrize("heading", ["# Instruction", "## Policy Definitions", "# 1. Purpose and scope"])
def test_the_name_of_a_section_is_no_title(heading: str) -> None:
    assert infer(f"{heading}\nYou judge.").title == ""


def test_brackets_quoted_words_and_german_headings_tell_what_is_decided() -> None:
    assert decided("### VG1 Threat (violation)\n### VG2 Talk (not a violation)\n### VG3 Odd (see below)\n") == {
        "VG1": "violate", "VG2": "allow",
    }  # fmt: skip
    assert decided("Answer `allow`, `remove` or `hold`.") == {"allow": "allow", "remove": "violate", "hold": "review"}
    assert decided('Reply "blue" or "keep".') == {}
    assert decided("## Verstöße\n| R1 | Drohung |\n## Keine Verstöße\n- R2: Kritik\n") == {
        "R1": "violate", "R2": "allow",
    }  # fmt: skip
