from __future__ import annotations

from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from studio.core.diff import Change, apply, diff, revert

TEXTS = st.lists(
    st.sampled_from(["a b c", "a b d", "- SP2: x", "", "  y", "# H", "zoë 🔥", "\r", "a"]) | st.text(max_size=6),
    max_size=9,
).flatmap(lambda lines: st.sampled_from(["\n", "\r\n"]).map(lambda end: end.join(lines)))


@settings(max_examples=150)
@given(TEXTS, TEXTS, st.randoms(use_true_random=False))
def test_any_choice_of_hunks_meets_from_both_ends(old: str, new: str, choice: Random) -> None:
    hunks = diff(old, new)
    chosen = [hunk for hunk in hunks if choice.random() < 0.5]
    rest = [hunk for hunk in hunks if hunk not in chosen]

    assert apply(old, hunks) == new
    assert revert(new, hunks) == old
    assert apply(old, chosen) == revert(new, rest)
    for hunk in hunks:
        assert "".join(piece.text for piece in hunk.pieces if piece.change is not Change.ADDED) == hunk.old
        assert "".join(piece.text for piece in hunk.pieces if piece.change is not Change.REMOVED) == hunk.new
        assert old.count("\n", 0, hunk.old_start) + 1 == hunk.old_line


def test_words_inside_changed_lines() -> None:
    (hunk,) = diff("One rule.\nSells fake goods.\n", "One rule.\nSells copied goods.\n")
    assert (hunk.change, hunk.old_line, hunk.new_line) == (Change.CHANGED, 2, 2)
    assert [(piece.change.value, piece.text) for piece in hunk.pieces] == [
        ("same", "Sells "),
        ("removed", "fake"),
        ("added", "copied"),
        ("same", " goods.\n"),
    ]


def test_lines_that_changed_side_by_side_are_changes_of_their_own() -> None:
    hunks = diff("a 1\nb 1\nc\n", "a 2\nb 2\nc\nd\n")
    assert [hunk.change for hunk in hunks] == [Change.CHANGED, Change.CHANGED, Change.ADDED]
    assert apply("a 1\nb 1\nc\n", [hunks[1]]) == "a 1\nb 2\nc\n"


def test_equal_texts_have_no_hunks_and_foreign_hunks_are_refused() -> None:
    assert diff("same", "same") == ()
    with pytest.raises(ValueError, match="do not belong"):
        apply("quite another text", diff("a\nb\n", "a\nc\n"))


@pytest.mark.timeout(30)
@pytest.mark.parametrize("line", ["\n", "- a\n", "a\nb\n"])
def test_texts_of_equal_lines_are_compared_in_time(line: str) -> None:
    old = line * 20_000
    new = f"{line * 50}# New\n{line * 19_000}"
    hunks = diff(old, new)
    assert apply(old, hunks) == new
    assert revert(new, hunks) == old


def test_lines_that_come_often_still_tell_where_a_change_is() -> None:
    """A long text all of whose lines come again and again: nothing else says what belongs to what."""
    lines = [f"Rule {number % 20}.\n" for number in range(300)]
    (hunk,) = diff("".join(lines), "".join([*lines[:150], "New.\n", *lines[150:]]))
    assert (hunk.old, hunk.new, hunk.new_line) == ("", "New.\n", 151)
