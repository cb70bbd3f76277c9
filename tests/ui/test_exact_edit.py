from __future__ import annotations

import pytest
from hypothesis import HealthCheck, assume, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from PySide6.QtGui import QTextCursor
from PySide6.QtWidgets import QApplication

from studio.core.content import clean
from studio.ui.theme import Theme
from studio.ui.widgets.exact_edit import ExactEdit, hidden_summary
from studio.ui.widgets.utf16 import from_qt, to_qt

ODD = st.text(
    alphabet=st.sampled_from("ab \t\n\r\u00a0\u200b\u202e\u2028\u2029\x00\x0b\x85\ufeff😀é\ufdd0<|>"), max_size=40
)


@hypothesis_settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=150)
@given(text=ODD)
def test_what_goes_in_comes_out_character_for_character(qapp: QApplication, theme: Theme, text: str) -> None:
    edit = ExactEdit(theme, "test")

    edit.set_exact_text(text)

    assert edit.exact_text() == text
    edit.deleteLater()


@pytest.mark.parametrize("kept", ["a\u00a0b", "a\u200bb", "x 😀 y", "tab\there", "a\u202eb"])
def test_an_edit_keeps_every_other_character(qapp: QApplication, theme: Theme, kept: str) -> None:
    edit = ExactEdit(theme, "test")
    edit.set_exact_text(kept)
    edit.moveCursor(QTextCursor.MoveOperation.End)

    edit.insertPlainText("!")

    assert edit.exact_text() == f"{kept}!"
    edit.deleteLater()


def test_windows_line_ends_survive_an_edit(qapp: QApplication, theme: Theme) -> None:
    edit = ExactEdit(theme, "test")
    edit.set_exact_text("one\r\ntwo\r\n")

    edit.insertPlainText("x")

    assert edit.exact_text() == "xone\r\ntwo\r\n"
    edit.deleteLater()


MIXED = "one\r\ntwo\nthree\r\nfour\n\r\nlast"


@pytest.mark.parametrize(
    ("at", "typed", "after"),
    [
        (0, "X", "X" + MIXED),
        (5, "X", MIXED.replace("two", "tXwo")),
        (8, "X\n", MIXED.replace("three", "X\nthree")),
        (-1, "!", MIXED + "!"),
    ],
)
def test_mixed_line_ends_of_lines_left_alone_survive(
    qapp: QApplication, theme: Theme, at: int, typed: str, after: str
) -> None:
    edit = ExactEdit(theme, "test")
    edit.set_exact_text(MIXED)
    cursor = QTextCursor(edit.document())
    cursor.setPosition(at if at >= 0 else edit.document().characterCount() - 1)

    cursor.insertText(typed)

    assert edit.exact_text() == after
    edit.deleteLater()


@hypothesis_settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=100)
@given(text=ODD, data=st.data())
def test_deleting_anything_keeps_what_is_before_and_behind(
    qapp: QApplication, theme: Theme, text: str, data: st.DataObject
) -> None:
    edit = ExactEdit(theme, "test")
    edit.set_exact_text(text)
    cursor = QTextCursor(edit.document())
    end = edit.document().characterCount() - 1
    first, last = sorted((data.draw(st.integers(0, end)), data.draw(st.integers(0, end))))
    assume(first < last)
    cursor.setPosition(first)
    cursor.setPosition(last, QTextCursor.MoveMode.KeepAnchor)

    cursor.removeSelectedText()

    breaks = ("\r\n", "\r", "\n", "\ufdd0")
    plain = edit.exact_text()
    for mark in breaks:
        plain = plain.replace(mark, "\u2029")
    assert plain == clean(edit.document().toRawText())
    edit.deleteLater()


def test_a_text_that_was_put_in_is_undone_in_one_step(qapp: QApplication, theme: Theme) -> None:
    edit = ExactEdit(theme, "test")
    edit.set_exact_text("mine")
    edit.set_exact_text("a sample", undoable=True)
    edit.insertPlainText("x")

    edit.undo()
    assert edit.exact_text() == "a sample"
    edit.undo()
    assert edit.exact_text() == "mine"
    edit.deleteLater()


@given(text=ODD, data=st.data())
def test_positions_go_to_qt_and_back(text: str, data: st.DataObject) -> None:
    at = data.draw(st.integers(0, len(text)))

    assert to_qt(text)(at) == len(text[:at].encode("utf-16-le", "surrogatepass")) // 2
    assert from_qt(text)(to_qt(text)(at)) == at


def test_hidden_characters_are_named() -> None:
    assert hidden_summary("plain, ünïcode, 日本\n\ttab") == ""
    assert hidden_summary("a\u200bb\u200bc\u202e") == "3 hidden characters: ZWSP ×2, RLO"
    assert hidden_summary("\x07") == "1 hidden character: 0007"
