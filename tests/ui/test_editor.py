"""The policy editor by itself: folding, completion of ids, and what neither may ever do to the text."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PySide6.QtCore import QPoint, Qt
from PySide6.QtGui import QTextBlock, QTextCursor
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from studio.core.labels import Label, LabelDecision
from studio.services.lint import Finding, Severity
from studio.ui.theme import Theme
from studio.ui.workbench.completion import Code, codes_of, matching
from studio.ui.workbench.editor import PolicyEditor
from studio.ui.workbench.find_bar import FindBar
from studio.ui.workbench.folding import heading_level, section_end
from studio.ui.workbench.lint_marks import marks_in
from studio.ui.workbench.outline import outline

TEXT = "# Title\nfirst\n## One\na\nb\n### Deep\nc\n## Two\nd\n```\n# no heading\n```\nlast\n"
LABELS = (Label("SP0", LabelDecision.ALLOW, "Fine"), Label("SP4", LabelDecision.VIOLATE, "Lure"))


@pytest.fixture
def editor(qtbot: QtBot, theme: Theme) -> Iterator[PolicyEditor]:
    made = PolicyEditor(theme)
    qtbot.addWidget(made)
    made.resize(600, 400)
    made.set_exact_text(TEXT)
    made.show()
    made.setFocus()
    yield made
    made.hide()


def line(editor: PolicyEditor, number: int) -> QTextBlock:
    return editor.document().findBlockByNumber(number)


def in_sight(editor: PolicyEditor) -> list[int]:
    return [number for number in range(editor.blockCount()) if line(editor, number).isVisible()]


def go_to(editor: PolicyEditor, number: int) -> None:
    editor.setTextCursor(QTextCursor(line(editor, number)))


def offered(editor: PolicyEditor) -> bool:
    return editor.completion.is_open


def test_a_section_goes_to_the_next_heading_of_its_level_and_fences_hold_none(editor: PolicyEditor) -> None:
    assert [heading_level(line(editor, n)) for n in (0, 1, 2, 5, 7, 10)] == [1, 0, 2, 3, 2, 0]
    assert [section_end(line(editor, n)) for n in (0, 2, 5, 7)] == [13, 6, 6, 13]


def test_sections_fold_and_open_again_by_key_and_by_arrow(editor: PolicyEditor) -> None:
    go_to(editor, 4)

    editor.folds.toggle_at_cursor()

    assert in_sight(editor) == [0, 1, 2, 7, 8, 9, 10, 11, 12, 13]
    assert editor.textCursor().blockNumber() == 2  # not left out of sight
    assert editor.exact_text() == TEXT
    editor.folds.toggle_at_cursor()
    assert in_sight(editor) == list(range(14))
    gutter = editor._gutter
    middle = editor.blockBoundingGeometry(line(editor, 7)).translated(editor.contentOffset()).center().y()
    QTest.mouseClick(gutter, Qt.MouseButton.LeftButton, pos=QPoint(gutter.width() - 8, round(middle)))
    assert in_sight(editor) == list(range(8))


def test_all_sections_fold_but_not_the_title_that_holds_them(editor: PolicyEditor) -> None:
    editor.folds.toggle_all()
    assert in_sight(editor) == [0, 1, 2, 7]

    editor.folds.toggle(line(editor, 2))
    assert in_sight(editor) == [0, 1, 2, 3, 4, 5, 7]  # what is in it is still folded
    editor.folds.toggle_all()
    assert in_sight(editor) == list(range(14))


def test_what_is_found_or_gone_to_comes_into_sight(editor: PolicyEditor, qtbot: QtBot, theme: Theme) -> None:
    bar = FindBar(theme, editor)
    qtbot.addWidget(bar)
    editor.folds.toggle_all()
    bar.query.setText("c")
    bar.search()

    bar.step(1)

    assert editor.textCursor().blockNumber() == 6
    assert line(editor, 6).isVisible()
    assert not line(editor, 8).isVisible()
    editor.go_to_line(8)
    assert line(editor, 8).isVisible()


def test_only_what_is_in_sight_is_marked_and_the_marks_come_along(
    editor: PolicyEditor, qtbot: QtBot, theme: Theme
) -> None:
    bar = FindBar(theme, editor)
    qtbot.addWidget(bar)
    editor.set_exact_text("a prize here\n" * 3000)
    bar.query.setText("prize")
    bar.search()
    marked = {selection.cursor.blockNumber() for selection in editor.extraSelections()}
    assert 10 < len(marked) < 100

    editor.verticalScrollBar().setValue(1500)
    QApplication.processEvents()

    top = editor.firstVisibleBlock().blockNumber()
    marked = {selection.cursor.blockNumber() for selection in editor.extraSelections()}
    assert set(range(top, top + 10)) <= marked
    editor.set_exact_text("a prize")  # shorter than what was searched
    editor.verticalScrollBar().setValue(0)
    editor.resize(500, 300)


def test_a_jump_to_where_nothing_was_measured_yet_keeps_marks_and_window(editor: PolicyEditor) -> None:
    # Long lines: Qt takes each for one row until it measures it, and scrolls when that was wrong.
    text = "the prize that nobody entered for " * 25 + "\n"
    editor.set_exact_text(text * 600)
    QApplication.processEvents()
    finding = Finding("vague-word", Severity.NOTE, 0, 9, 1, 1, "", "", "")
    many = [replace(finding, start=at, end=at + 9) for at in range(0, len(text) * 600, len(text) * 10)]
    editor.show_marks(marks_in(editor.document(), text * 600, many))
    for number in (300, 0, 599, 150, 450):
        go_to(editor, number)
        QApplication.processEvents()
    assert 450 in {selection.cursor.blockNumber() for selection in editor.extraSelections()}


def test_an_edit_next_to_a_fold_keeps_every_line(editor: PolicyEditor) -> None:
    go_to(editor, 2)
    editor.folds.toggle_at_cursor()
    go_to(editor, 7)

    QTest.keyClick(editor, Qt.Key.Key_Backspace)  # joins the heading to a line that is folded away

    assert editor.exact_text() == TEXT.replace("c\n## Two", "c## Two")
    assert line(editor, 6).isVisible()
    editor.undo()
    assert editor.exact_text() == TEXT
    go_to(editor, 2)
    QTest.keyClick(editor, Qt.Key.Key_X)  # the heading is none any more
    assert in_sight(editor) == list(range(14))


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.tuples(st.sampled_from("tfab+-ue"), st.integers(0, 13)), max_size=12))
def test_folding_changes_no_text_whatever_is_done(editor: PolicyEditor, acts: list[tuple[str, int]]) -> None:
    editor.set_exact_text(TEXT)
    plain = TEXT
    for act, at in acts:
        if act == "t":
            editor.folds.toggle(line(editor, at))
        elif act == "f":
            editor.folds.toggle_all()
        else:
            cursor = QTextCursor(line(editor, min(at, editor.blockCount() - 1)))
            if act == "+":
                cursor.insertText("new\n# Head\n")
            elif act == "-":
                cursor.deletePreviousChar()
            elif act == "e":
                editor.setTextCursor(cursor)
            plain = editor.document().toRawText().replace("\u2029", "\n")
        assert editor.exact_text() == plain
        assert editor.textCursor().block().isVisible()
        hidden = set(range(editor.blockCount())) - set(in_sight(editor))
        covered = {
            number
            for head in range(editor.blockCount())
            if editor.folds.is_folded(line(editor, head))
            for number in range(head + 1, section_end(line(editor, head)) + 1)
        }
        assert hidden == covered


def test_ids_are_offered_as_codes_and_not_as_words() -> None:
    text = "# Rules\n- SP4.b: a prize\n- SP0.a: fine\n"
    codes = codes_of(LABELS, outline(text, LABELS))

    assert [code.id for code in codes] == ["SP0", "SP4", "SP4.b", "SP0.a"]
    assert codes[2] == Code("SP4.b", LabelDecision.VIOLATE, "a prize")
    assert [code.id for code in matching(codes, "it is (SP4", asked=False)] == ["SP4.b"]
    assert [code.id for code in matching(codes, "**SP", asked=False)] == ["SP0", "SP4", "SP4.b", "SP0.a"]
    assert matching(codes, "S", asked=False) == matching(codes, "Sp", asked=False) == []
    assert matching([Code("spam", LabelDecision.VIOLATE)], "some sp", asked=False) == []
    assert [code.id for code in matching(codes, "x sp4", asked=True)] == ["SP4", "SP4.b"]
    assert len(matching(codes, "", asked=True)) == 4


def test_an_id_is_completed_by_keys_alone(editor: PolicyEditor) -> None:
    editor.completion.set_codes(codes_of(LABELS, ()))
    go_to(editor, 1)
    QTest.keyClicks(editor, " SP")
    assert offered(editor)
    QTest.keyClick(editor, Qt.Key.Key_Down)

    QTest.keyClick(editor, Qt.Key.Key_Tab)

    assert line(editor, 1).text() == " SP4first"
    assert editor.hasFocus()
    assert not offered(editor)
    editor.undo()
    assert line(editor, 1).text() == " SPfirst"
    QTest.keyClick(editor, Qt.Key.Key_Space, Qt.KeyboardModifier.ControlModifier)
    assert offered(editor)
    QTest.keyClick(editor, Qt.Key.Key_Escape)
    assert not offered(editor)


def test_a_line_ends_where_the_id_stands_whole(editor: PolicyEditor) -> None:
    editor.completion.set_codes(codes_of(LABELS, ()))
    go_to(editor, 1)
    QTest.keyClicks(editor, "SP0")

    QTest.keyClick(editor, Qt.Key.Key_Return)

    assert [line(editor, n).text() for n in (1, 2)] == ["SP0", "first"]
