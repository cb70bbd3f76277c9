"""Findings in the layouts of published policies: paragraphs, tags, fields, clauses, pairs, and lines without an end."""

from __future__ import annotations

from dataclasses import replace

import pytest

from studio.core.lint import Severity, lint
from studio.core.policy import OutputForm
from tests.core.lint.test_lint_rules import SOUND, marked, named, read, with_end, with_rule


def test_a_second_answer_form_in_one_paragraph_or_as_two_labels() -> None:
    assert marked("Answer with VALID or INVALID. A joke is fine. Reply with 1 or 0.", "output-competing") == [
        "Reply with 1 or 0."
    ]
    labels = "Answer with VALID or INVALID.\nEach item gets two labels:\n- D-BK#\n- R-BK#\n"
    assert marked(labels, "output-competing") == ["Each item gets two labels:"]
    assert not named(labels.replace("VALID or INVALID", "exactly one label of each kind"), "output-competing")


def test_what_is_fine_has_no_severity_to_raise() -> None:
    assert not named(with_end("If the seller lies, raise the level by 1."), "severity-step")
    assert marked(with_end("If the seller lies, lower the level by 1."), "severity-step")


@pytest.mark.parametrize(
    "example",
    [
        "<input>Racer, lock missing, cheap</input>\n<output>BK0</output>",
        '- content: "Racer, lock missing, cheap"\n  label: BK0',
        "**Response:** Racer, lock missing, cheap\n**Answer:** BK0",
        'Listing: Racer, lock missing, cheap\n{"category": "BK0"}',
        '5.5 "Racer, lock missing, cheap" => BK0',
    ],
)
def test_examples_in_tags_fields_objects_and_clauses(example: str) -> None:
    assert marked(f"{SOUND}\n{example}\n", "example-two-labels") == [example]


def test_an_answer_of_no_known_family_is_undefined_and_a_letter_too_few_is_nearly_right() -> None:
    assert marked(SOUND + '- "Bell" -> ZZ4\n', "label-undefined") == ["ZZ4"]
    assert marked(SOUND + '- "Bell" (B2)\n', "label-near-miss") == ["B2"]
    assert not named(with_rule("- BK2: Prints it on A4 paper, or B2."), "label-near-miss")
    assert marked(with_rule("- BK-2: Offers a saddle."), "label-near-miss") == ["BK-2"]


def test_a_code_that_uncertain_cases_get_is_defined_by_that() -> None:
    text = "## Uncertain cases\nSet the label to BK4{}"
    assert not named(with_end(text.format("; a person reviews these.")), "label-undefined")
    assert marked(with_end(text.format(".")), "label-undefined") == ["BK4"]


def test_an_effort_behind_a_sentence() -> None:
    text = SOUND.replace("exactly one label.", "exactly one label. Reasoning: high")
    assert marked(text, "effort-in-text") == ["Reasoning: high"]


def test_a_policy_without_labels_is_an_error_only_where_the_answer_is_a_label() -> None:
    policy = read("Decide whether it is spam. Spam is not allowed, news is allowed.")
    assert [finding.severity for finding in lint(policy) if finding.rule == "labels-missing"] == [Severity.WARNING]
    asked = replace(policy, form=OutputForm.LABEL)
    assert [finding.severity for finding in lint(asked) if finding.rule == "labels-missing"] == [Severity.ERROR]


def test_one_prompt_with_two_responses_is_two_examples() -> None:
    pair = "\nPrompt: Is this my bicycle?\nResponse: {}\nAnswer: {}\n"
    text = SOUND + pair.format("Yes, take it.", "BK2") + pair.format("I cannot tell.", "BK0")
    assert not named(text, "example-duplicate")
    assert not named(text, "example-two-labels")
    assert named(SOUND + pair.format("Yes.", "BK2") + pair.format("Yes.", "BK0"), "example-two-labels")


@pytest.mark.parametrize("unit", ["A1 ", "(SP2, ", "*", " ", "Response: "])
def test_an_endless_line_is_read_like_any_other(unit: str) -> None:
    # Patterns that walk a line again for each sign of it would be at this for hours.
    assert isinstance(lint(read(unit * (150_000 // len(unit)))), tuple)


def test_a_file_of_text_alone_that_does_not_say_what_to_answer() -> None:
    policy = read(SOUND.replace(" Answer with exactly one label.", ""))
    (finding,) = lint(policy, tokens=500, alone=True)
    assert (finding.rule, finding.severity) == ("output-missing", Severity.NOTE)
    assert lint(read(SOUND), tokens=500, alone=True) == ()
