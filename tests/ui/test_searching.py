"""Searching in the policy: what is found, what is wrong with a pattern, and an end for those that have none."""

from __future__ import annotations

import pytest
from pytestqt.qtbot import QtBot

from studio.ui.theme import Theme
from studio.ui.workbench.editor import PolicyEditor
from studio.ui.workbench.find_bar import FindBar
from studio.ui.workbench.searching import expanded, search

TEXT = "\U0001f525 SP2.a and sp4\nSP2 (a+)+$\n"


def test_words_are_words_and_patterns_find_as_qt_counts() -> None:
    assert search(TEXT, "sp2", is_pattern=False).places == [(3, 3), (17, 3)]
    assert search(TEXT, "(a+)+$", is_pattern=False).places == [(21, 6)]
    assert search(TEXT, r"^SP\d", is_pattern=True).places == [(17, 3)]
    assert search(TEXT, "x*", is_pattern=True).places == []
    assert search(TEXT, "", is_pattern=True).places == []


@pytest.mark.parametrize(("pattern", "at"), [("[a-z", 4), ("a)", 2), ("(a", 2), ("*", 1)])
def test_a_bad_pattern_says_what_is_wrong_and_where(pattern: str, at: int) -> None:
    found = search(TEXT, pattern, is_pattern=True)
    assert (found.places, found.problem.startswith("Not a pattern: ")) == ([], True)
    assert f"at character {at}." in found.problem


@pytest.mark.parametrize("pattern", ["(a+)+$", "(a|aa)+$", r"^(([a-z])+.)+[A-Z]([a-z])+$", "(?:a*)*b"])
def test_a_pattern_without_an_end_is_given_up(pattern: str) -> None:
    found = search(("a" * 80 + "!\n") * 500, pattern, is_pattern=True)
    assert found.places == []
    assert "too long" in found.problem or pattern == "(?:a*)*b"


def test_a_replacement_takes_groups_by_number_and_name() -> None:
    (match,) = search("see SP2.a", r"(?<label>SP\d)\.(\w)", is_pattern=True).matches
    assert expanded(match, r"\2 of $1, \g<label>\n\\1") == "a of SP2, SP2\n\\1"


def test_the_bar_shows_the_problem_and_replaces_nothing(qtbot: QtBot, theme: Theme) -> None:
    editor = PolicyEditor(theme)
    bar = FindBar(theme, editor)
    qtbot.addWidget(editor)
    qtbot.addWidget(bar)
    editor.set_exact_text("a" * 60 + "!")
    bar.regex.setChecked(True)
    bar.replacement.setText("x")
    for pattern in ("(a+)+$", "[a"):
        bar.query.setText(pattern)
        bar.search()
        assert bar.problem.text()
        bar.replace_all()
        assert editor.exact_text() == "a" * 60 + "!"
    bar.query.setText("a{60}(!)")
    bar.replacement.setText(r"\1x")
    bar.replace_all()
    assert (editor.exact_text(), bar.problem.text()) == ("!x", "")
    editor.undo()
    assert editor.exact_text() == "a" * 60 + "!"
