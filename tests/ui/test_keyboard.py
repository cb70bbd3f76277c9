"""The whole job by keys alone, and what makes that possible: names, rings, no traps."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from PySide6.QtCore import Qt, QTimer
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QAbstractButton, QAbstractSpinBox, QApplication, QComboBox, QDialog, QWidget

from studio.core.labels import Decision
from studio.ui.theme import Theme
from studio.ui.widgets.ask_line import AskLine
from studio.ui.workbench.wrong_dialog import WrongDialog
from tests.ui.conftest import POLICY_TEXT, SLOW, VIOLATES, Opener, Stage

_MOST_TABS = 90


def type_into(words: str) -> None:
    """Type where the focus is."""
    focused = QApplication.focusWidget()
    assert focused is not None
    QTest.keyClicks(focused, words)


def press(key: Qt.Key, held: Qt.KeyboardModifier = Qt.KeyboardModifier.NoModifier) -> None:
    """Press a key where the focus is."""
    focused = QApplication.focusWidget()
    assert focused is not None
    QTest.keyClick(focused, key, held)


def tab_to(stage: Stage, wanted: QWidget) -> None:
    """Go to a widget by Tab alone."""
    for _ in range(_MOST_TABS):
        if stage.window.focusWidget() is wanted:
            return
        press(Qt.Key.Key_Tab)
    pytest.fail(f"Tab does not reach {wanted.accessibleName()!r}")


def back_in(stage: Stage) -> None:
    """A dialog has closed: the window is at work again. A desktop does this; the offscreen platform must be asked."""
    stage.window.activateWindow()
    stage.until(lambda: QApplication.focusWidget() is not None)


def in_dialog(kind: type[QDialog], act: Callable[[QDialog], None]) -> None:
    """Do something in the dialog that opens next."""

    def when_open() -> None:
        dialog = QApplication.activeModalWidget()
        if isinstance(dialog, kind) and dialog.focusWidget() is not None:
            act(dialog)
        else:
            QTimer.singleShot(10, when_open)

    QTimer.singleShot(0, when_open)


def test_the_job_by_keys_alone(open_window: Opener) -> None:
    stage = open_window(VIOLATES)
    policy = stage.open_spam()
    bench = stage.bench
    # A policy edit.
    bench.content.take_focus()
    tab_to(stage, bench.policy.editor)
    press(Qt.Key.Key_End, Qt.KeyboardModifier.ControlModifier)
    type_into("- SP2.c: and more")
    press(Qt.Key.Key_Return)
    assert bench.policy.editor.exact_text() == POLICY_TEXT + "- SP2.c: and more\n"
    # A content, and its verdict read.
    tab_to(stage, bench.content.message)
    press(Qt.Key.Key_A, Qt.KeyboardModifier.ControlModifier)
    type_into("You have won")
    press(Qt.Key.Key_Return, Qt.KeyboardModifier.ControlModifier)
    stage.until(lambda: bench.verdict.run is not None)
    stage.settle()
    tab_to(stage, bench.verdict.card.rationale)
    tab_to(stage, bench.verdict.card.reasoning.view)

    # A version with its message.
    def name_version(dialog: QDialog) -> None:
        QTest.keyClicks(dialog.focusWidget(), "One rule more")
        QTest.keyClick(dialog.focusWidget(), Qt.Key.Key_Return)

    in_dialog(AskLine, name_version)
    stage.keys("Ctrl+S")
    stage.settle()
    back_in(stage)
    assert stage.studio.policies.versions(policy.id)[0].message == "One rule more"
    # Golden, then undone, then wrong.
    tab_to(stage, bench.verdict.right)
    press(Qt.Key.Key_Space)
    stage.settle()
    assert stage.studio.golden.count(policy.id) == 1
    assert stage.window.focusWidget() is bench.verdict.undo
    press(Qt.Key.Key_Space)
    stage.settle()
    assert stage.studio.golden.count(policy.id) == 0

    def say_wrong(dialog: QDialog) -> None:
        QTest.keyClick(dialog.focusWidget(), Qt.Key.Key_Return)

    in_dialog(WrongDialog, say_wrong)
    stage.keys("Ctrl+Shift+G")
    stage.settle()
    [example] = stage.studio.golden.list(policy.id)
    assert example.expected is Decision.ALLOWED


def test_a_run_is_found_and_opened_again_and_the_window_changed_by_keys_alone(
    open_window: Opener, theme: Theme
) -> None:
    stage = open_window(VIOLATES)
    stage.open_spam()
    bench = stage.bench
    stage.judged("You have won")
    bench.content.take_focus()
    press(Qt.Key.Key_A, Qt.KeyboardModifier.ControlModifier)
    type_into("something else")
    stage.keys("Ctrl+3")
    stage.settle()
    type_into("won")
    stage.until(lambda: stage.window.history.table.rowCount() == 1 and stage.window.tasks.idle)
    tab_to(stage, stage.window.history.view)
    stage.until(lambda: stage.window.history.detail.run is not None)
    press(Qt.Key.Key_Return)
    stage.settle()
    assert stage.window.page == "workbench"
    assert bench.content.message.exact_text() == "You have won"
    # Another theme.
    stage.keys("Ctrl+5")
    stage.settle()
    tab_to(stage, stage.window.settings.theme)
    press(Qt.Key.Key_Space)
    menu = stage.window.settings.theme.menu()
    stage.until(menu.isVisible)
    QTest.keyClick(menu, Qt.Key.Key_Up)  # from the first to the last
    QTest.keyClick(menu, Qt.Key.Key_Return)
    stage.until(lambda: theme.dark and theme.settled)
    back_in(stage)
    # The palette leads anywhere.
    stage.keys("Ctrl+K")
    stage.until(stage.window.palette_list.popup.isVisible)
    QTest.keyClicks(stage.window.palette_list.popup.search, "Go to Models")
    QTest.keyClick(stage.window.palette_list.popup.search, Qt.Key.Key_Return)
    stage.until(lambda: stage.window.page == "models")


def test_esc_stops_from_wherever_the_focus_is(open_window: Opener) -> None:
    stage = open_window(SLOW)
    stage.open_spam()
    stage.show("You have won")
    stage.bench.run()
    stage.until(lambda: stage.bench.verdict.card.reasoning.view.text)
    tab_to(stage, stage.bench.policy.editor)

    stage.keys("Escape")

    stage.until(lambda: not stage.bench.runner.running)


def test_everything_that_takes_the_focus_has_a_name_and_shows_it(open_window: Opener) -> None:
    stage = open_window(VIOLATES)
    stage.open_spam()
    stage.judged("You have won")
    nameless: list[str] = []
    for page in stage.window.pages:
        stage.window.go_to(page)
        stage.settle()
        for widget in stage.window.findChildren(QWidget):
            if widget.focusPolicy() & Qt.FocusPolicy.TabFocus and widget.isVisible() and not _inner(widget):
                words = widget.text() if isinstance(widget, QAbstractButton) else ""
                if not (widget.accessibleName() or words):
                    nameless.append(f"{page}: {widget!r}")
    assert nameless == []


def test_tab_goes_round_every_page_and_back(open_window: Opener) -> None:
    stage = open_window(VIOLATES)
    stage.open_spam()
    stage.judged("You have won")  # the reasoning begins with a link
    for page in stage.window.pages:
        stage.window.go_to(page)
        stage.settle()
        there, back = _round(stage, Qt.Key.Key_Tab), _round(stage, Qt.Key.Key_Backtab)
        assert {widget.accessibleName() for widget in there} == {widget.accessibleName() for widget in back}, page


def test_the_focus_can_be_seen(open_window: Opener) -> None:
    stage = open_window(VIOLATES)
    stage.open_spam()
    stage.judged("You have won")
    stage.bench.content.take_focus()
    unseen: list[str] = []
    for widget in _round(stage, Qt.Key.Key_Tab):
        if _inner(widget):
            continue
        widget.setFocus(Qt.FocusReason.TabFocusReason)
        with_focus = widget.grab().toImage()
        widget.clearFocus()
        if widget.grab().toImage() == with_focus:
            unseen.append(f"{widget!r} {widget.accessibleName()}")
    assert unseen == []


def _round(stage: Stage, key: Qt.Key) -> list[QWidget]:
    """What Tab comes by until it is where it began."""
    seen: list[QWidget] = []
    for _ in range(_MOST_TABS):
        press(key)
        focused = QApplication.focusWidget()
        assert focused is not None
        if seen and focused is seen[-1]:
            continue  # from link to link, or from day to month
        if seen and focused is seen[0]:
            return seen
        assert focused not in seen, f"Tab is caught at {focused.accessibleName()!r}"
        seen.append(focused)
    pytest.fail("Tab does not come round")


def _inner(widget: QWidget) -> bool:
    """Whether Qt put it inside a control that has the name."""
    parent = widget.parentWidget()
    return widget.objectName().startswith("qt_") or isinstance(parent, (QAbstractSpinBox, QComboBox))
