from __future__ import annotations

import socket
import subprocess
import sys
from pathlib import Path

import pytest
from PySide6.QtCore import Qt, QTimer
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QLabel, QWidget

from studio import settings
from studio.core.policy import Effort
from studio.core.run import SAMPLED
from studio.services import shield
from studio.ui.frame.keys import KeysDialog
from tests.ui.conftest import VIOLATES, Opener

_HEAVY = ("llama_cpp", "matplotlib", "sklearn", "numpy", "keyring", "huggingface_hub", "pyarrow")


def test_the_window_comes_up_without_the_heavy_libraries() -> None:
    code = f"import sys, studio.ui.main_window, studio.app; print([m for m in {_HEAVY!r} if m in sys.modules])"

    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=_root())

    assert done.stdout.strip() == "[]"


def test_the_palette_finds_actions_policies_and_sessions(open_window: Opener) -> None:
    stage = open_window()
    stage.settle()
    popup = stage.window.palette_list.popup

    stage.keys("Ctrl+K")
    stage.until(popup.isVisible)
    assert {entry.note for entry in popup.matching("")} >= {"policy", "session", "Ctrl+S"}
    popup.search.setText("hate")
    QTest.keyClick(popup.search, Qt.Key.Key_Return)

    stage.until(lambda: stage.bench.policy.document.policy.id == "hate")
    assert not popup.isVisible()


def test_pages_have_keys(open_window: Opener) -> None:
    stage = open_window()
    for number, page in enumerate(("workbench", "golden", "history", "models", "settings"), 1):
        stage.keys(f"Ctrl+{number}")
        assert stage.window.page == page


@pytest.mark.parametrize(("page", "runs"), [("workbench", True), ("settings", False)])
def test_a_question_mark_shows_the_keys_of_the_page(open_window: Opener, page: str, runs: bool) -> None:
    stage = open_window()
    stage.window.go_to(page)
    stage.settle()
    seen: list[set[str]] = []

    def look() -> None:
        dialog = QApplication.activeModalWidget()
        if not isinstance(dialog, KeysDialog):
            QTimer.singleShot(10, look)
            return
        labels = dialog.findChildren(QLabel)
        seen.append({label.text() for label in labels})
        assert [label.text() for label in labels if label.width() < label.sizeHint().width()] == [], "cut"
        dialog.reject()

    QTimer.singleShot(0, look)
    stage.keys("Question", on=stage.window.rail)

    assert ("Run" in seen[0], "Find anything" in seen[0]) == (runs, True)
    stage.bench.content.message.set_exact_text("")
    stage.window.go_to("workbench")
    stage.bench.content.take_focus()
    stage.keys("Question")
    assert stage.bench.content.message.exact_text() == "?", "where one writes it is a letter"


def test_keys_of_the_workbench_do_nothing_elsewhere(open_window: Opener) -> None:
    stage = open_window(VIOLATES)
    stage.window.go_to("models")

    stage.keys("Ctrl+Return", on=stage.window)

    assert not stage.bench.runner.running


def test_the_chip_and_the_shield_tell_the_truth(open_window: Opener) -> None:
    stage = open_window(VIOLATES, is_demo=True)
    stage.until(lambda: "Demo model" in stage.window.top_bar.model.text())

    assert stage.window.top_bar.shield.text().startswith(f"offline · {stage.studio.connections}")


def test_the_shield_opens_the_last_attempts_and_the_report(open_window: Opener) -> None:
    stage = open_window(VIOLATES)
    bar = stage.window.top_bar
    with shield.allow([("models.example", 443)], "Download of a model"):
        QTest.mouseClick(bar.shield, Qt.MouseButton.LeftButton)
        stage.until(bar.attempts.isVisible)
        assert bar.attempts.state.text() == "Open on your request: Download of a model (models.example:443)"
        assert bar.shield.text().startswith("network open")
    bar.attempts.close()
    with pytest.raises(PermissionError):
        socket.getaddrinfo("somewhere.example", 443)
    stage.until(lambda: bar.shield.text().endswith("refused"))

    QTest.mouseClick(bar.shield, Qt.MouseButton.LeftButton)

    assert bar.attempts.state.text().startswith("Offline")
    assert "'somewhere.example'  refused" in bar.attempts.attempts.text()
    QTest.keyClick(bar.attempts.report, Qt.Key.Key_Space)
    stage.until(lambda: stage.window.page == "settings")
    assert not bar.attempts.isVisible()


def test_choices_of_the_settings_are_kept_and_used(open_window: Opener) -> None:
    stage = open_window(VIOLATES)
    stage.open_spam()
    stage.window.go_to("settings")
    page = stage.window.settings

    page.theme.pick(settings.Theme.DARK)
    page.effort.pick(Effort.HIGH)
    page.sampling.pick(SAMPLED)
    stage.settle()

    page.budgets.numbers[Effort.HIGH].setValue(700)
    stage.settle()
    kept = settings.load().settings
    assert (kept.theme, kept.effort, kept.sampling) == (settings.Theme.DARK, Effort.HIGH, SAMPLED)
    assert kept.thinking_budgets == {Effort.HIGH: 700}
    assert [stage.studio.judge.budget(effort) for effort in Effort] == [None, None, 700]
    stage.window.go_to("workbench")
    run = stage.judged("You have won")
    assert run.provenance is not None
    assert run.provenance.effort is Effort.HIGH
    assert not run.provenance.sampling.greedy
    assert not stage.bench.verdict.card.stale


def test_the_date_in_the_prompt_can_be_set(open_window: Opener) -> None:
    stage = open_window()
    stage.window.go_to("settings")
    stage.settle()

    stage.window.settings.pinned.setDate(stage.window.settings.pinned.date().addDays(-10))
    stage.settle()

    shown = stage.window.settings.pinned.date()
    assert stage.studio.pinned_date().isoformat() == shown.toString(Qt.DateFormat.ISODate)


def test_a_moved_splitter_is_where_it_was(open_window: Opener) -> None:
    stage = open_window()
    stage.bench.splitter.setSizes([500, 700])
    stage.bench.splitter.splitterMoved.emit(500, 1)
    sizes = stage.bench.splitter.sizes()
    stage.close()

    again = open_window()

    assert again.bench.splitter.sizes() == sizes


def test_the_demo_card_says_that_it_is_not_for_moderation(open_window: Opener) -> None:
    stage = open_window(VIOLATES)
    stage.window.go_to("models")
    stage.until(lambda: stage.window.models.cards)

    demo = stage.window.models.cards[0]

    assert demo.entry.id == "demo"
    assert "not for moderation" in _all_words(demo)


def _all_words(widget: QWidget) -> str:
    return " ".join(label.text() for label in widget.findChildren(QLabel))


def _root() -> Path:
    return Path(settings.__file__).resolve().parents[1]
