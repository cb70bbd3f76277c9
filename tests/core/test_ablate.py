"""The removable parts of policies and contents."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from studio import paths
from studio.core.ablate import PartKind, Unit, parts_of, pieces_of, without, without_piece
from studio.core.content import Content, Turn, user_message
from studio.core.labels import Label, LabelDecision
from studio.core.policy import Policy
from studio.exchange.policy_files import read_policy

TEXT = """\
# Instruction
You help the warden. A violating rule wins.

# Definitions
- Bulk: the same text in many places.

# Criteria
## Violates
- SP2.a: the same link
  more than three times
- SP2.b: copied reviews
    - also with small changes

## Allowed
| Code | What |
|------|------|
| SP0  | one honest recommendation |

# Examples
- "Buy now, buy now" -> SP2
- Content: I like this shop
  Answer: SP0

# Output
- Answer with one label.
"""
POLICY = Policy("spam", "Spam", TEXT, (Label("SP0", LabelDecision.ALLOW), Label("SP2", LabelDecision.VIOLATE)))
words = st.sampled_from(
    [
        "- SP2.a: no",
        "# Criteria",
        "## SP2 Bulk",
        "text goes on",
        "",
        "  deeper",
        "# Examples",
        "a -> SP2",
        "|x|y|",
        "|-|-|",
    ]
)


def named(policy: Policy) -> list[tuple[str, str]]:
    return [(part.kind, part.name) for part in parts_of(policy)]


def test_rules_and_examples_are_found_with_the_lines_that_belong_to_them() -> None:
    found = parts_of(POLICY)

    assert named(POLICY) == [
        ("rule", "Bulk: the same text in many places."),
        ("rule", "SP2.a"),
        ("rule", "SP2.b"),
        ("rule", "also with small changes"),
        ("rule", "SP0"),
        ("example", '"Buy now, buy now" -> SP2'),
        ("example", "Content: I like this shop Answer: SP0"),
    ]
    assert found[1].text == "- SP2.a: the same link\n  more than three times"
    assert found[1].line == 9
    assert found[2].text.endswith("small changes")
    left = without(POLICY, found[1])
    assert left.text == TEXT.replace("- SP2.a: the same link\n  more than three times\n", "")
    assert left.labels == POLICY.labels


def test_a_line_that_only_speaks_of_a_code_is_not_named_after_it() -> None:
    policy = replace(POLICY, text="# Precedence\n1. SP0.a overrides SP2.\n2. Else SP2.\n\n# Criteria\n- SP2.a: bulk\n")

    assert [name for _, name in named(policy)] == ["1. SP0.a overrides SP2.", "2. Else SP2.", "SP2.a"]


def test_a_labels_headed_block_is_a_part_with_all_that_stands_in_it() -> None:
    text = "# Criteria\n## SP2 Bulk\nThe same text often.\n- SP2.a: links\n\n## SP0 Fine\nAll else.\n"
    policy = replace(POLICY, text=text)

    assert [(part.name, part.line, part.text.count("\n")) for part in parts_of(policy)] == [
        ("SP2", 2, 2),
        ("SP2.a", 4, 0),
        ("SP0", 6, 1),
    ]


def test_paragraphs_are_parts_of_long_policies_and_of_those_without_rules() -> None:
    prose = replace(POLICY, text="Judge kindly.\n\nNo adverts\nof any kind.\n\nThanks are fine.\n")
    assert named(prose) == [
        ("paragraph", "Judge kindly."),
        ("paragraph", "No adverts of any kind."),
        ("paragraph", "Thanks are fine."),
    ]
    long = replace(POLICY, text=TEXT.replace("A violating rule wins.", "A violating rule wins. " * 200))
    assert PartKind.PARAGRAPH not in {part.kind for part in parts_of(POLICY)}
    assert [part.line for part in parts_of(long) if part.kind is PartKind.PARAGRAPH] == [2, 15]


def test_what_is_all_of_a_text_cannot_be_taken_away() -> None:
    assert parts_of(replace(POLICY, text="One paragraph only.\n")) == ()
    assert parts_of(replace(POLICY, text="")) == ()


def test_line_ends_of_every_kind_go_with_their_part() -> None:
    policy = replace(POLICY, text="# Criteria\r\n- SP2.a: bulk\r\n- SP0.a: else")

    assert [without(policy, part).text for part in parts_of(policy)] == [
        "# Criteria\r\n- SP0.a: else",
        "# Criteria\r\n- SP2.a: bulk\r\n",
    ]


@pytest.mark.parametrize("folder", sorted(paths.resource("policies").iterdir()), ids=lambda folder: folder.name)
def test_every_rule_code_of_a_shipped_policy_can_be_taken_away(folder: Path) -> None:
    policy = read_policy(folder / "policy.md").policy
    names = {part.name.split(".")[0].casefold() for part in parts_of(policy) if part.kind is PartKind.RULE}

    assert {label.id.casefold() for label in policy.labels if label.decision is LabelDecision.VIOLATE} <= names


@given(st.lists(words, max_size=14))
def test_taking_a_part_away_takes_that_text_and_nothing_else(lines: list[str]) -> None:
    policy = replace(POLICY, text="\n".join(lines))
    for part in parts_of(policy):
        assert policy.text[part.start : part.end].strip() == part.text
        assert part.text
        assert len(without(policy, part).text) == len(policy.text) - (part.end - part.start)
        assert policy.text.count("\n", 0, part.start) == part.line - 1


def test_words_and_sentences_of_a_content() -> None:
    content = Content.message('Hello all. "Buy now!" Thanks')
    sentences = pieces_of(content, Unit.SENTENCES)
    assert [piece.text for piece in sentences] == ["Hello all.", '"Buy now!"', "Thanks"]
    assert [without_piece(content, piece).text for piece in pieces_of(content, Unit.WORDS)] == [
        'all. "Buy now!" Thanks',
        'Hello "Buy now!" Thanks',
        'Hello all. now!" Thanks',
        'Hello all. "Buy Thanks',
        'Hello all. "Buy now!"',
    ]
    assert pieces_of(Content.message("One"), Unit.WORDS) == ()
    assert [piece.text for piece in pieces_of(Content.message("買う今"), Unit.WORDS)] == ["買", "う", "今"]


def test_of_a_conversation_every_turn_and_of_a_completion_the_response_is_taken_apart() -> None:
    talk = Content.conversation((Turn("A", "You won"), Turn("B", "Really")))
    pieces = pieces_of(talk, Unit.WORDS)
    assert [(piece.turn, piece.text) for piece in pieces] == [(0, "You"), (0, "won"), (1, "Really")]
    assert "B: \n" not in user_message(without_piece(talk, pieces[0]))
    assert [turn.text for turn in without_piece(talk, pieces[2]).turns] == ["You won", ""]
    answer = Content.completion("Say it", "Yes, sir")
    assert without_piece(answer, pieces_of(answer, Unit.WORDS)[0]).response == "sir"
    assert without_piece(answer, pieces_of(answer, Unit.WORDS)[0]).prompt == "Say it"
