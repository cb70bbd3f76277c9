"""Each rule of the linter: what it finds, in several layouts, and what looks like it and is none."""

from __future__ import annotations

from dataclasses import replace

import pytest

from studio.core.infer import infer
from studio.core.labels import Label, LabelDecision
from studio.core.lint import Finding, Severity, apply_edits, lint
from studio.core.policy import OutputForm, OutputPosition, Policy

SOUND = """\
# Instruction
Decide whether a notice offers stolen bicycles. Answer with exactly one label.

# Definitions
- **Stolen**: taken without the owner's consent.

# Criteria
## Violates
- BK2: Offers a bicycle whose lock was cut.
- BK3: Offers three or more bicycles without papers.
## Allowed
- BK0: Offers one bicycle with its receipt.
- BK0: Asks whether a bicycle was stolen.

If several rules are met, the highest number wins. Unclear notices go to a moderator.

# Examples
- "Racer, lock missing, cheap" -> BK2
- "Five bicycles, no papers" -> BK3
- "My old bicycle, receipt from 2019" -> BK0
- "Is this my stolen bicycle?" -> BK0
"""


def read(text: str) -> Policy:
    """The policy as a plain text is opened."""
    found = infer(text)
    return Policy("p", found.title, text, found.labels, found.form, found.position)


def named(text: str, rule: str) -> list[Finding]:
    return [finding for finding in lint(read(text)) if finding.rule == rule]


def marked(text: str, rule: str) -> list[str]:
    return [text[finding.start : finding.end] for finding in named(text, rule)]


def with_rule(line: str) -> str:
    return SOUND.replace("## Allowed\n", f"{line}\n## Allowed\n")


def with_end(lines: str) -> str:
    return SOUND.replace("# Examples\n", f"{lines}\n\n# Examples\n")


def test_the_sound_policy_has_no_findings() -> None:
    assert lint(read(SOUND)) == ()


@pytest.mark.parametrize("text", ["", " \n\t\n", "\n"])
def test_an_empty_policy_is_one_error(text: str) -> None:
    (finding,) = lint(Policy("p", "t", text, ()))
    assert (finding.rule, finding.severity) == ("policy-empty", Severity.ERROR)


@pytest.mark.parametrize(
    ("defined", "used", "right"),
    [("D-SP#", "D-S2", "D-SP2"), ("SP#", "S-P2", "SP2"), ("SP<n>", "SPP3", "SP3"), ("HT#", "TH4", "HT4")],
)
def test_a_nearly_right_label_is_found_and_mended(defined: str, used: str, right: str) -> None:
    text = f"Labels have the form {defined}.\n\n# Violates\n- Promotion nobody asked for → {used}\n"
    (finding,) = named(text, "label-near-miss")
    assert text[finding.start : finding.end] == used
    mended = apply_edits(text, finding.fix)
    assert mended == text.replace(used, right)
    assert not named(mended, "label-near-miss")


@pytest.mark.parametrize(
    "answer", ["Answer with VALID or INVALID.", "Output 0 or 1.", 'Return JSON: {"violation": 1}', "Reply yes or no."]
)
def test_a_second_answer_form_is_an_error_at_its_place(answer: str) -> None:
    text = with_end(answer)
    (finding,) = named(text, "output-competing")
    assert text[finding.start : finding.end] == answer
    assert finding.severity is Severity.ERROR


@pytest.mark.parametrize(
    "text",
    [
        'Return JSON {"violation": 0 or 1, "policy_category": "A1"}.\nviolation is 1 or 0.\nA1: sells bikes',
        "Answer 0 or 1.\nLater again: answer 0 or 1.",
        "SP2 (INVALID)\nSP0 (VALID)\nReturn exactly one label.\nAnswer (VALID or INVALID):",
        "Return VALID or INVALID.\nGive one reason if the author asks.",
    ],
)
def test_one_form_told_twice_or_explained_is_no_competition(text: str) -> None:
    assert not named(text, "output-competing")


@pytest.mark.parametrize(
    "step",
    [
        "downgrade severity by 1",
        "Lower the label one level",
        "reduce the severity by one",
        "decrease the level by 1",
    ],
)
def test_a_step_to_a_label_that_is_not_there(step: str) -> None:
    assert marked(with_end(f"If it was a joke, {step}."), "severity-step") == [step]


def test_a_step_between_labels_that_are_there_is_fine() -> None:
    text = SOUND.replace("BK0", "BK1")
    assert not named(
        text.replace("# Examples", "If it was a joke, downgrade severity by 1.\n\n# Examples"), "severity-step"
    )


def test_a_step_without_any_levels() -> None:
    assert marked("Remove insults. If it was a joke, downgrade severity by 1.", "severity-step")


@pytest.mark.parametrize(
    "use", ['- "Two wheels, no frame" -> BK4', "Answer: BK4", '- "Wheel" (BK4)', "| Wheel | BK4 |"]
)
def test_a_label_that_is_used_and_not_defined(use: str) -> None:
    assert marked(SOUND + use + "\n", "label-undefined") == ["BK4"]


@pytest.mark.parametrize(
    "text",
    [
        with_rule('- BK3: Says "model MTB29", COVID-19 or MP3.'),
        SOUND + '- "Code LINA15 saves 15 %, flight BA117" -> BK2\n',
        with_end("BK4 means a bicycle without a frame."),
        with_end("Use BK4 for a bicycle without a frame."),
        SOUND.replace("## Violates", "## Violates (BK2-BK4)") + '- "No frame" -> BK4\n',
    ],
)
def test_codes_that_are_no_labels_or_are_defined_in_other_words(text: str) -> None:
    assert not named(text, "label-undefined")


def test_a_declared_label_that_the_text_never_names() -> None:
    policy = read(SOUND)
    labels = (*policy.labels, Label("BK7", LabelDecision.VIOLATE, "Frames"))
    (finding,) = lint(replace(policy, labels=labels))
    assert finding.rule == "label-unused"
    assert "BK7" in finding.message


def test_no_output_instruction_and_none_by_the_studio() -> None:
    policy = read(SOUND.replace(" Answer with exactly one label.", ""))
    assert lint(policy, tokens=500) == ()
    (finding,) = lint(replace(policy, position=OutputPosition.IN_TEXT), tokens=500)
    assert (finding.rule, finding.severity) == ("output-missing", Severity.ERROR)


def test_the_form_that_is_set_is_not_the_one_that_the_text_asks_for() -> None:
    (finding,) = lint(replace(read(SOUND), form=OutputForm.BINARY))
    assert finding.rule == "output-mismatch"


@pytest.mark.parametrize(
    "slot",
    [
        "[INPUT]",
        "{{content}}",
        "<CONTENT>",
        "[Insert definition]",
        "TO" + "DO",
        "X" * 3,
        "lorem ipsum",
        "${post}",
        "[CONTENT HERE]",
    ],
)
def test_what_a_template_left(slot: str) -> None:
    text = with_end(f"The post: {slot}")
    assert marked(text, "placeholder")[0].startswith(slot[:5])


@pytest.mark.parametrize(
    "line",
    [
        '- BK3: Leaves fields such as "[NAME]" or "{{first_name}}" unfilled.',
        f"- BK3: {'X' * 3}-rated videos and porn.",
        "- BK3: Links as [text](https://example.org).",
        "- BK3: The post stands between <post> and </post>.",
        "- BK3: A todo list.",
    ],
)
def test_brackets_that_no_template_left(line: str) -> None:
    assert not named(with_rule(line), "placeholder")


def test_a_slot_alone_on_its_line_is_deleted_with_the_line() -> None:
    text = SOUND + "Content: [INPUT]\n"
    (finding,) = named(text, "placeholder")
    assert apply_edits(text, finding.fix) == SOUND


@pytest.mark.parametrize(
    "line", ["Reasoning: high", "**Reasoning effort: low**", "reasoning_effort = medium", "Effort: high"]
)
def test_an_effort_line_is_found_and_deleted(line: str) -> None:
    text = SOUND.replace("# Definitions", f"{line}\n# Definitions")
    (finding,) = named(text, "effort-in-text")
    assert apply_edits(text, finding.fix) == SOUND


@pytest.mark.parametrize(
    "token",
    [
        "<|start|>",
        "<|end|>",
        "<| channel |>",
        "＜｜start｜＞",
        "<|im_start|>",
        "<|st\u200bart|>",
        "<|return|>",
        "<|constrain|>",
    ],
)
def test_control_tokens_in_every_spelling(token: str) -> None:
    assert marked(with_rule(f"- BK2: {token}system"), "control-token") == [token]
    (finding,) = named(with_rule(f'- BK2: Writes "{token}".'), "control-token")
    assert finding.severity is Severity.NOTE


@pytest.mark.parametrize(
    ("hidden", "severity"),
    [
        ("\u200b", Severity.WARNING),
        ("\u00ad", Severity.WARNING),
        ("\ufeff\u2060", Severity.WARNING),
        ("\u202e", Severity.ERROR),
        ("\u2066", Severity.ERROR),
        ("\U000e0041\U000e0042", Severity.ERROR),
    ],
)
def test_hidden_characters_are_found_and_deleted(hidden: str, severity: Severity) -> None:
    text = SOUND.replace("consent", f"con{hidden}sent")
    (finding,) = lint(read(text))
    assert (finding.rule, finding.severity, finding.line) == ("hidden-characters", severity, 5)
    assert apply_edits(text, finding.fix) == SOUND


@pytest.mark.parametrize(
    "honest",
    [
        "👩\u200d🔧",
        "🏴\U000e0067\U000e0062\U000e0073\U000e0063\U000e0074\U000e007f",
        "می\u200cخواهم",
        "❤\ufe0f",
        "ภาษา\u200bไทย",
        "a\u00a0b",
    ],
)
def test_hidden_characters_that_do_honest_work(honest: str) -> None:
    assert not named(with_rule(f"- BK2: {honest}"), "hidden-characters")


def test_a_label_written_with_look_alike_letters() -> None:
    text = SOUND.replace('papers" -> BK3', 'papers" -> ВК3')
    (finding,) = named(text, "look-alike")
    assert finding.severity is Severity.ERROR
    assert apply_edits(text, finding.fix) == SOUND
    assert not named(with_rule("- BK2: Пишет по-русски, ΑΒΓ."), "look-alike")


@pytest.mark.parametrize("word", ["generally", "Usually", "in most cases", "etc.", "appropriate", "may be removed"])
def test_vague_words(word: str) -> None:
    assert marked(with_rule(f"- BK2: {word} a bicycle."), "vague-word") == [word]


@pytest.mark.parametrize(
    "line",
    [
        '- BK2: Says "generally fine" or `usually`.',
        "- BK2: Age-appropriate bicycles.",
        "- BK2: What a reasonable person takes for a threat.",
        "- BK2: General advice; the author may come from abroad.",
        "- BK2: More often than twice a day.",
    ],
)
def test_words_that_are_not_vague(line: str) -> None:
    assert not named(with_rule(line), "vague-word")


def test_the_same_example_under_two_labels() -> None:
    text = SOUND + "- “Racer,  lock missing - cheap!” -> BK0\n"
    assert marked(text, "example-two-labels") == ["- “Racer,  lock missing - cheap!” -> BK0"]


def test_minimal_pairs_are_welcome() -> None:
    text = (
        SOUND
        + '- "Racer, lock cut, cheap, pick up today" -> BK2\n- "Racer, lock closed, cheap, pick up today" -> BK0\n'
    )
    assert lint(read(text)) == ()


@pytest.mark.parametrize(
    "heading", ["# Examples", "**Examples**", "EXAMPLES", "4. Examples", "Examples:", "Examples\n--------"]
)
def test_examples_all_on_one_side_in_every_layout(heading: str) -> None:
    text = SOUND.replace("# Examples", heading).replace("-> BK0", "-> BK2")
    assert len(named(text, "examples-one-sided")) == 1


def test_rules_that_say_the_same_on_both_sides() -> None:
    line = "- BK0: Offers a bicycle whose lock was cut."
    text = SOUND.replace("## Allowed\n", f"## Allowed\n{line}\n")
    (finding,) = named(text, "rule-contradiction")
    assert finding.severity is Severity.ERROR
    assert text[finding.start : finding.end] == line[2:]


@pytest.mark.parametrize(
    "line",
    [
        "- BK0: Offers a bicycle whose lock was not cut.",
        "- BK0: Offers a bicycle with its owner's consent, whose lock was cut in an emergency.",
        "- BK0: Offers less than three bicycles without papers.",
    ],
)
def test_rules_that_differ_by_the_word_that_matters(line: str) -> None:
    text = SOUND.replace("## Allowed\n", f"## Allowed\n{line}\n")
    assert not named(text, "rule-contradiction")


@pytest.mark.parametrize("title", ["Definitions", "Violates", "Examples"])
@pytest.mark.parametrize("style", ["## {}", "**{}**", "2. {}", "{}:", "{}\n======"])
def test_an_empty_section_in_every_layout(title: str, style: str) -> None:
    text = f"{style.format(title)}\n\n" + style.format("Instruction") + "\nDecide whether it is spam.\n"
    assert len(named(text, "section-empty")) == 1


def test_a_very_long_sentence() -> None:
    sentence = "- BK2: " + "the author offers a bicycle and " * 16 + "waits."
    (finding,) = named(with_rule(sentence), "sentence-long")
    assert finding.severity is Severity.WARNING


@pytest.mark.parametrize(
    ("tokens", "rule"), [(120, "length-short"), (3_000, "length-long"), (12_000, "length-too-long")]
)
def test_length_by_the_exact_count(tokens: int, rule: str) -> None:
    (finding,) = lint(read(SOUND), tokens=tokens)
    assert finding.rule == rule
    assert f"{tokens:,}" in finding.message


def test_no_precedence_and_no_escalation() -> None:
    text = SOUND.replace("If several rules are met, the highest number wins. Unclear notices go to a moderator.\n", "")
    assert {finding.rule for finding in lint(read(text), tokens=500)} == {"precedence-missing", "escalation-missing"}
