"""The form for labels and answer, worked by keys."""

from __future__ import annotations

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QLineEdit
from pytestqt.qtbot import QtBot

from studio.core.labels import Label, LabelDecision
from studio.core.policy import OutputForm, OutputPosition, Policy
from studio.ui.theme import Theme
from studio.ui.workbench.labels_tab import LabelsTab, held_words
from studio.ui.workbench.labels_table import DESCRIPTION, ID, SEVERITY_AT, id_problem

LABELS = (Label("SP0", LabelDecision.ALLOW), Label("SP2", LabelDecision.VIOLATE, "Lure", 2, "A prize."))
POLICY = Policy("p", "P", "Rules.", LABELS)


@pytest.fixture
def tab(qtbot: QtBot, theme: Theme) -> LabelsTab:
    made = LabelsTab(theme)
    qtbot.addWidget(made)
    made.resize(700, 300)
    made.show_policy(POLICY)
    made.show()
    made.activateWindow()
    made.view.setFocus()
    made.view.setCurrentIndex(made.table.index(0, ID))
    return made


def ids(tab: LabelsTab) -> list[str]:
    return [label.id for label in tab.table.labels]


def test_labels_are_added_moved_and_removed_by_keys(tab: LabelsTab, qtbot: QtBot) -> None:
    QTest.keyClick(tab.view, Qt.Key.Key_Insert)
    line = tab.view.findChild(QLineEdit)
    assert line is not None
    line.selectAll()
    QTest.keyClicks(line, "SP3")
    QTest.keyClick(line, Qt.Key.Key_Return)
    qtbot.waitUntil(lambda: ids(tab) == ["SP0", "SP2", "SP3"])

    QTest.keyClick(tab.view, Qt.Key.Key_Up, Qt.KeyboardModifier.AltModifier)
    QTest.keyClick(tab.view, Qt.Key.Key_Up, Qt.KeyboardModifier.AltModifier)
    assert ids(tab) == ["SP3", "SP0", "SP2"]
    assert tab.view.currentIndex().row() == 0
    QTest.keyClick(tab.view, Qt.Key.Key_Up, Qt.KeyboardModifier.AltModifier)
    assert ids(tab) == ["SP3", "SP0", "SP2"]
    QTest.keyClick(tab.view, Qt.Key.Key_Down, Qt.KeyboardModifier.AltModifier)
    QTest.keyClick(tab.view, Qt.Key.Key_Delete)
    assert ids(tab) == ["SP0", "SP2"]


@pytest.mark.parametrize("typed", ["sp2", "", "two words"])
def test_an_id_that_cannot_be_is_said_while_it_is_typed(tab: LabelsTab, qtbot: QtBot, typed: str) -> None:
    tab.view.edit(tab.table.index(0, ID))
    line = tab.view.findChild(QLineEdit)
    assert line is not None
    line.selectAll()
    QTest.keyClick(line, Qt.Key.Key_Delete)
    QTest.keyClicks(line, typed)

    assert tab.problem.text() == id_problem(LABELS, 0, typed) != ""
    QTest.keyClick(line, Qt.Key.Key_Return)
    assert tab.problem.isVisible()
    assert line.isVisible()  # Enter does not throw away what was typed
    QTest.keyClick(line, Qt.Key.Key_Escape)
    qtbot.waitUntil(lambda: not tab.problem.isVisible())
    assert ids(tab) == ["SP0", "SP2"]


def test_severity_and_meaning_go_into_the_policy(tab: LabelsTab, qtbot: QtBot) -> None:
    with qtbot.waitSignal(tab.labels_changed) as told:
        assert tab.table.setData(tab.table.index(0, SEVERITY_AT), 0)
    assert told.args[0][0].severity == 0
    assert tab.table.setData(tab.table.index(0, SEVERITY_AT), None)
    assert tab.table.setData(tab.table.index(0, DESCRIPTION), " One honest word. ")
    assert tab.table.labels[0] == Label("SP0", LabelDecision.ALLOW, description="One honest word.")
    assert not tab.table.setData(tab.table.index(0, DESCRIPTION), "One honest word.")  # nothing new


def test_it_says_whether_the_model_is_held_to_the_form(tab: LabelsTab, qtbot: QtBot) -> None:
    def says(**fields: object) -> str:
        return held_words(Policy("p", "P", **{"text": "Rules.", "labels": LABELS, **fields}))  # type: ignore[arg-type]

    assert "can only answer in this form" in says()
    assert "labels for both" in says(labels=LABELS[:1])
    assert "says itself what to answer" in says(text="Return exactly one word: VALID or INVALID.")
    assert "Nothing is added" in says(position=OutputPosition.IN_TEXT)
    assert "can only answer" in says(labels=(), form=OutputForm.BINARY)
    with qtbot.waitSignal(tab.position_changed) as told:
        tab.position.pick(OutputPosition.IN_TEXT)
    assert told.args == [OutputPosition.IN_TEXT]
