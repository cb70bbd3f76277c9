"""The linter on any text at all: it never fails, its places lie in the text, and its fixes do what they say."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from studio.core.infer import infer
from studio.core.lint import MOST_OF_A_RULE, apply_edits, lint
from studio.core.policy import OutputPosition, Policy

PIECES = st.sampled_from(
    [
        "# Instruction",
        "## Violates",
        "**Allowed**",
        "EXAMPLES",
        "Definitions:",
        "- SP2: sells things",
        "- SP0.a:",
        "D-SP#",
        '"buy now" -> D-S2',
        "| a | SP3 |",
        "|---|---|",
        "```",
        "```json",
        '{"violation": 1}',
        "Answer 0 or 1.",
        "VALID or INVALID",
        "Reasoning: high",
        "Content: [INPUT]",
        "{{content}}",
        "<|start|>",
        "<| end |>",
        "\u200b",
        "a\u202eb",
        "\U000e0041",
        "SР2",
        "downgrade severity by 1",
        "generally etc.",
        "Output:",
        "Input: x",
        "SP2-SP4",
        "Return one of: SP0, SP2",
        "'",
        '"',
        "\u201c",
        "\r",
        "\x00",
        "\u2028",
        "===",
        "---",
        "1. Rules",
        "1)",
        "X" * 3,
        "TO" + "DO",
        "_____",
        "🏴",
        "\u200d",
        "👩",
        "\t",
        " ",
        "",
    ]
)
POLICY_LIKE = st.lists(PIECES | st.text(max_size=12), max_size=30).flatmap(
    lambda parts: st.sampled_from(["\n", "\r\n", " ", "\n\n"]).map(lambda joint: joint.join(parts))
)
TEXTS = POLICY_LIKE | st.text(max_size=300)


def read(text: str) -> Policy:
    found = infer(text)
    return Policy("p", "t", text, found.labels, found.form, OutputPosition.IN_TEXT)


@settings(max_examples=80)
@given(TEXTS)
def test_it_never_fails_and_places_lie_in_the_text(text: str) -> None:
    for finding in lint(read(text)):
        assert 0 <= finding.start <= finding.end <= len(text)
        before = text[: finding.start]
        assert finding.line == before.count("\n") + 1
        assert finding.column == len(before) - (before.rfind("\n") + 1) + 1
        assert all((finding.message, finding.reason, finding.advice))


@settings(max_examples=80)
@given(POLICY_LIKE)
def test_a_fix_removes_its_finding_and_leaves_the_rest(text: str) -> None:
    policy = read(text)
    findings = lint(policy)
    for finding in findings:
        if not finding.fix:
            continue
        (edit,) = finding.fix
        mended = apply_edits(text, finding.fix)
        assert mended == text[: edit.start] + edit.text + text[edit.end :]
        again = lint(Policy("p", "t", mended, policy.labels, policy.form, policy.position))
        count = sum(other.rule == finding.rule for other in findings)
        assert sum(other.rule == finding.rule for other in again) < count or count == MOST_OF_A_RULE


def test_a_flood_of_one_kind_stays_readable() -> None:
    assert len(lint(read("a\u200b b" * 5_000))) < MOST_OF_A_RULE + 20
