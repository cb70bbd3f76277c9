from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from studio import paths
from studio.core.compose import MERGE_COST, from_guideline, merge, split_by_label
from studio.core.errors import PolicyError
from studio.core.labels import Label, LabelDecision
from studio.core.lint import lint
from studio.core.policy import Effort, OutputForm, Policy
from studio.exchange.policy_files import read_policy

STARTERS = {
    path.parent.name: read_policy(path).policy for path in sorted(paths.resource("policies").glob("*/policy.md"))
}


def test_merged_texts_stand_whole_under_their_titles() -> None:
    spam, harm = STARTERS["spam"], STARTERS["self-harm"]
    made = merge([spam, harm], policy_id="both", title="Both").policy

    assert made.text.startswith("# Spam and deceptive lures\n\n## Instruction\n")
    assert "\n# Self-harm and suicide\n\n## Instruction\n" in made.text
    for policy in (spam, harm):
        lines = {line.lstrip("#") for line in made.text.split("\n")}
        assert {line.lstrip("#") for line in policy.text.strip().split("\n")} <= lines
    assert made.labels == spam.labels + harm.labels
    assert made.effort is Effort.MEDIUM
    assert MERGE_COST in merge([spam, harm], policy_id="both", title="Both").notes


def test_fenced_text_is_not_made_deeper() -> None:
    one = Policy("a", "A", "# H\n```\n# not a heading\n```\n", (Label("A1", LabelDecision.VIOLATE),))
    two = Policy("b", "B", "###### deepest\n", (Label("B1", LabelDecision.VIOLATE),))
    text = merge([one, two], policy_id="c", title="C").policy.text
    assert text == "# A\n\n## H\n```\n# not a heading\n```\n\n# B\n\n###### deepest\n"


@pytest.mark.parametrize(
    ("other", "says"),
    [
        (replace(STARTERS["hate"], form=OutputForm.BINARY), "form of answer"),
        (replace(STARTERS["hate"], labels=(Label("sp2", LabelDecision.ALLOW),)), "Rename it"),
    ],
)
def test_what_cannot_be_merged_is_refused(other: Policy, says: str) -> None:
    with pytest.raises(PolicyError, match=says):
        merge([STARTERS["spam"], other], policy_id="x", title="X")


@pytest.mark.parametrize("name", [name for name in STARTERS if not name.startswith("demo")])
def test_a_split_policy_keeps_its_label_and_loses_only_the_others(name: str) -> None:
    policy = STARTERS[name]
    violating = [label.id for label in policy.labels if label.decision is LabelDecision.VIOLATE]
    parts = split_by_label(policy)
    assert [part.policy.id for part in parts] == [f"{name}-{label.casefold()}" for label in violating]
    for label, part in zip(violating, parts, strict=True):
        kept = part.policy.text.splitlines()
        # What is left stands in the old text in the same order, and what went names another violating label.
        gone = list(policy.text.splitlines())
        for line in kept:
            gone.remove(line)
        assert any(line.startswith(f"- {label}.a") for line in kept)
        assert all(not line or any(other in line for other in violating if other != label) for line in gone)
        assert {one.id for one in part.policy.labels} & set(violating) == {label}
        assert any("still name labels" in note for note in part.notes) or len(violating) < 3


def test_a_policy_without_lines_for_its_labels_is_not_split() -> None:
    with pytest.raises(PolicyError, match="no lines of its own"):
        split_by_label(replace(STARTERS["spam"], text="# Instruction\nDecide.\n"))
    with pytest.raises(PolicyError, match="nothing to split"):
        split_by_label(replace(STARTERS["spam"], labels=STARTERS["spam"].labels[:2]))


GUIDELINE = """\
House rules

What is allowed
- Trading seeds among members
A weed means any plant that spreads by itself.
No advertising. Criticism of plants is welcome! Please be kind.
If something looks wrong, report it to the moderators.
"""


def test_a_guideline_is_laid_out_in_its_own_words() -> None:
    made = from_guideline(GUIDELINE, policy_id="g", title="G")
    text = made.policy.text
    assert "## Violates\n- V1.a: No advertising.\n" in text
    assert "## Allowed\n- V0.a: Trading seeds among members\n- V0.b: Criticism of plants is welcome!\n" in text
    assert "# Definitions\n- A weed means any plant that spreads by itself.\n" in text
    assert "- V9.a: If something looks wrong, report it to the moderators.\n" in text
    assert text.count("[Missing: ") == 2
    assert [label.id for label in made.policy.labels] == ["V0", "V1", "V9"]
    assert "the examples" in made.notes[0]
    assert {finding.rule for finding in lint(made.policy) if finding.severity == "error"} == {"placeholder"}


@settings(max_examples=60)
@given(st.text(max_size=200) | st.lists(st.sampled_from(GUIDELINE.split("\n")), max_size=12).map("\n".join))
def test_no_word_of_a_guideline_is_lost(text: str) -> None:
    if not text.strip():
        return
    made = from_guideline(text, policy_id="g", title="G").policy.text
    for word in text.split():
        if word.isalpha() and word.isascii():
            assert word in made


def test_an_empty_guideline_is_refused(tmp_path: Path) -> None:
    with pytest.raises(PolicyError, match="empty"):
        from_guideline(" \n", policy_id="g", title="G")


def test_how_to_appeal_is_no_rule_about_what_needs_a_person() -> None:
    text = "No insults.\nIf you think we got it wrong, write to the team.\nUnsure? Ask a moderator.\n"
    made = from_guideline(text, policy_id="g", title="G").policy.text
    assert "- V9.a: Ask a moderator." in made
    assert made.index("got it wrong") > made.index("not yet placed")
