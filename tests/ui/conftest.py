from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QWidget
from pytestqt.qtbot import QtBot

from studio import settings
from studio.app import build_window
from studio.core.content import Content
from studio.core.policy import Policy
from studio.core.run import Run
from studio.engine.client import EngineClient
from studio.engine.scripted import Script, ScriptedAnswer
from studio.services.studio import Studio
from studio.ui.main_window import MainWindow
from studio.ui.theme import Theme

WAIT_MS = 40_000
POLICY_TEXT = """\
# Instruction
Decide whether the content is spam.

# Criteria
## Violates
- SP2.a: the same link three times
- SP4.b: a prize that nobody entered for

## Allowed
- SP0.a: a single honest recommendation
"""


def harmony(final: str, thinking: str = "SP4.b fits, SP9.z does not.") -> str:
    return (
        f"<|channel|>analysis<|message|>{thinking}<|end|><|start|>assistant<|channel|>final<|message|>{final}<|return|>"
    )


LURE = harmony('{"violation": 1, "policy_category": "SP4", "rule_ids": ["SP4.b"], "rationale": "An invented prize."}')
FINE = harmony('{"violation": 0, "policy_category": "SP0", "rule_ids": ["SP0.a"], "rationale": "Honest."}')
VIOLATES = ScriptedAnswer(text=LURE)
SLOW = ScriptedAnswer(text=harmony("{}", "thinking on and on " * 400), pace_s=0.01)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The offscreen platform says what it cannot do; that is no fault of ours."""
    for item in items:
        if item.path.is_relative_to(Path(__file__).parent):
            item.add_marker(pytest.mark.qt_log_ignore("This plugin does not support"))


class Stage:
    """A window over real services, and what a person does with it."""

    def __init__(self, qtbot: QtBot, window: MainWindow, studio: Studio) -> None:
        self.qtbot, self.window, self.studio = qtbot, window, studio
        self.bench = window.workbench
        self.until(lambda: self.bench.is_ready)

    def until(self, holds: Callable[[], object]) -> None:
        self.qtbot.waitUntil(lambda: bool(holds()), timeout=WAIT_MS)

    def settle(self) -> None:
        self.until(lambda: self.window.tasks.idle)

    def keys(self, keys: str, on: QWidget | None = None) -> None:
        """Press a shortcut such as ``Ctrl+Return``."""
        *modifiers, key = keys.split("+")
        held = Qt.KeyboardModifier.NoModifier
        for name in modifiers:
            held |= {"Ctrl": Qt.KeyboardModifier.ControlModifier, "Shift": Qt.KeyboardModifier.ShiftModifier}[name]
        focused: QWidget | None = self.window.focusWidget()
        QTest.keyClick(on or focused or self.window, getattr(Qt.Key, f"Key_{key}"), held)

    def open_spam(self) -> Policy:
        """Open a small policy of the test's own, saved as version 1."""
        labels = self.studio.policies.get("spam").policy.labels
        small = Policy(id="small-spam", title="Small spam", text=POLICY_TEXT, labels=labels)
        self.studio.policies.save(small)
        self.bench.open_policy(small.id)
        self.until(lambda: self.bench.policy.document.policy.id == small.id)
        self.settle()
        return small

    def shown(self) -> Run:
        """The run that the Workbench shows."""
        run = self.bench.verdict.run
        assert run is not None
        return run

    def show(self, text: str) -> None:
        self.bench.content.show_content(Content.message(text))

    def judged(self, text: str) -> Run:
        """Judge a message by Ctrl+Enter and wait for the verdict."""
        self.show(text)
        self.bench.content.take_focus()
        self.keys("Ctrl+Return")
        self.until(lambda: self.bench.runner.running or self.bench.verdict.run is not None)
        self.until(lambda: not self.bench.runner.running)
        self.settle()
        return self.shown()

    def close(self) -> None:
        self.window.close()


Opener = Callable[..., Stage]


@pytest.fixture(scope="session")
def theme(qapp: QApplication) -> Theme:
    made = Theme(qapp)
    made.choose(settings.Theme.LIGHT, None)
    return made


@pytest.fixture
def workspace(tmp_path: Path) -> Path:
    return tmp_path / "test.studio"


@pytest.fixture
def open_window(qtbot: QtBot, theme: Theme, workspace: Path) -> Iterator[Opener]:
    """Open a window on the test's workspace with a scripted model; all are closed at the end."""
    opened: list[MainWindow] = []

    def call(*answers: ScriptedAnswer, **script: object) -> Stage:
        theme.choose(settings.Theme.LIGHT, None)
        played = Script(answers=answers or (VIOLATES,), **script)  # type: ignore[arg-type]  # the tests' own keywords
        studio = Studio.open(workspace, engine=EngineClient(script=played))
        window = build_window(theme, studio, settings.load())
        opened.append(window)
        window.resize(1280, 800)
        window.show()
        return Stage(qtbot, window, studio)

    yield call
    for window in opened:
        window.shut_down()
        window.deleteLater()
