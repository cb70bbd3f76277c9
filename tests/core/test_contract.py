from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from studio.core.contract import carries_output, compile_policy, instruction, reminder
from studio.core.labels import Label, LabelDecision
from studio.core.policy import OutputForm, OutputPosition, Policy

LABELS = (Label("A1", LabelDecision.VIOLATE), Label("A0", LabelDecision.ALLOW), Label("AR", LabelDecision.REVIEW))


def policy(text: str, form: OutputForm = OutputForm.RATIONALE_JSON, labels: tuple[Label, ...] = LABELS) -> Policy:
    return Policy("p", "P", text, labels, form)


LINES = st.sampled_from(
    [
        "# Title",
        "## Instruction",
        "Be kind.",
        "",
        "## Examples",
        "```",
        "~~~",
        "# Not a heading",
        "Return exactly one word",
        "\r",
        "Ж",
    ]
)


@given(
    st.one_of(st.text(), st.lists(LINES, max_size=12).map("\n".join)),
    st.sampled_from(OutputForm),
    st.sampled_from(OutputPosition),
)
def test_the_authors_text_is_never_changed(text: str, form: OutputForm, position: OutputPosition) -> None:
    parts = compile_policy(Policy("p", "P", text, LABELS, form, position)).parts
    assert "".join(part.text for part in parts if not part.ours) == text
    if position is OutputPosition.IN_TEXT:
        assert not any(part.ours for part in parts)
    elif not carries_output(text):
        assert instruction(policy(text, form)) in "".join(part.text for part in parts if part.ours)


def test_the_contract_stands_after_the_first_section_and_again_before_the_examples() -> None:
    text = "# Instruction\nJudge spam.\n\n# Rules\nA1: spam.\n\n# Examples\nx\n"
    compiled = compile_policy(policy(text)).text
    order = ["# Instruction", "# Output format", "# Rules", "Output format again", "# Examples"]
    places = [compiled.index(mark) for mark in order]
    assert places == sorted(places)


def test_a_title_is_not_a_section() -> None:
    compiled = compile_policy(policy("# Spam\n\n## Instruction\nJudge.\n\n## Rules\nA1.\n")).text
    assert compiled.index("Judge.") < compiled.index("# Output format") < compiled.index("## Rules")


def test_a_heading_inside_a_fence_is_text() -> None:
    text = "# Instruction\n```\n# Examples\n```\nJudge.\n"
    assert compile_policy(policy(text)).parts[0].text == text


def test_a_text_without_sections_gets_the_contract_at_its_end() -> None:
    parts = compile_policy(policy("No spam.")).parts
    assert [part.ours for part in parts] == [False, True]


@pytest.mark.parametrize(
    "text",
    [
        "Return exactly one word: VALID or INVALID.",
        "Answer (VALID or INVALID):",
        'If it violates, return:\n{"violation": 1}',
        "Respond with VALID or INVALID.",
        "Respond in JSON.",
        "## Output format\nAs above.",
        "OUTPUT FORMAT\n====",
        "**OUTPUT INSTRUCTIONS**",
        "Classify each input as VALID (no violation) or INVALID (spam).",
        "Return exactly one character: 0 or 1.",
        "Answer with exactly one label.",
        "Content to classify: [INPUT]\nClassification (VALID or INVALID):\n",
        "Return only the label.",
    ],
)
def test_a_text_that_says_what_to_answer_is_left_alone(text: str) -> None:
    assert carries_output(text)
    assert compile_policy(policy(text)).text == text


@pytest.mark.parametrize(
    "text",
    [
        "Users must provide one valid ID.",
        "You may return one item per order.",
        "Print a single copy.",
        "Reply with respect.",
        "Sellers answer with a valid reason.",
        "Do not output personal data.",
        "A post may return a valid argument.",
        "The label of the product must be printed.",
        "Print valid or expired tickets.",
    ],
)
def test_a_rule_that_speaks_of_returning_or_printing_is_no_output_instruction(text: str) -> None:
    assert not carries_output(text)


def test_every_form_names_its_answers() -> None:
    asked = {form: instruction(policy("", form)) for form in OutputForm}
    assert "ESCALATE" in asked[OutputForm.VALID_INVALID]
    assert "ESCALATE" in reminder(policy("", OutputForm.VALID_INVALID))
    assert "ESCALATE" not in instruction(policy("", OutputForm.VALID_INVALID, LABELS[:2]))
    for form in (OutputForm.RATIONALE_JSON, OutputForm.CATEGORY_JSON, OutputForm.LABEL):
        assert "Violating: A1. Allowed: A0. For a person to decide: AR." in asked[form]


@pytest.mark.timeout(30)
@pytest.mark.parametrize("piece", ["\n", "- \n", "a\n", "output \n", "return ", "= "])
def test_no_text_takes_long_to_be_looked_through(piece: str) -> None:
    assert not carries_output(piece * (60_000 // len(piece)))
