"""How long a keystroke takes in the policy editor, in CPU time: `python benchmarks/editor.py [--tokens 10000]`.

A window without a screen opens a policy of that length, with labels, linter and everything else as in daily use, and
types words, ids, ends of lines and corrections into its middle. For each key the time of the window's thread is taken
from the key press until everything that the key has caused there is done: text, layout, highlighting, gutter and paint.
The pause after a burst of typing is measured apart (outline, labels, state, what the other tabs show): the longest turn
of the event loop in it. CPU time and not wall-clock time is counted, so that the figures hold on a busy machine; work
beside the window is counted as ``process``.
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))
os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")

from PySide6.QtCore import Qt  # noqa: E402  the root has to be on the path first
from PySide6.QtGui import QTextCursor  # noqa: E402
from PySide6.QtTest import QTest  # noqa: E402
from PySide6.QtWidgets import QApplication  # noqa: E402

from studio import settings  # noqa: E402
from studio.app import build_window  # noqa: E402
from studio.core.policy import Policy  # noqa: E402
from studio.engine.client import EngineClient  # noqa: E402
from studio.engine.scripted import Script, ScriptedAnswer  # noqa: E402
from studio.services.studio import Studio  # noqa: E402
from studio.ui.main_window import MainWindow  # noqa: E402
from studio.ui.theme import Theme  # noqa: E402

_CHARACTERS_PER_TOKEN = 4.2
_TYPED = "the seller asks for SP4.b and more, (see SP2) "
_BUDGET_MS = 16.0
_PAUSE = "pause after typing"


def long_text(tokens: int) -> str:
    """A policy of about so many tokens: sections with rules and examples, as published policies have them."""
    parts, number = ["# Instruction\nDecide whether the content is spam.\n"], 0
    while sum(map(len, parts)) < tokens * _CHARACTERS_PER_TOKEN:
        number += 1
        parts.append(
            f"\n## Chapter {number}\n"
            f"A seller who **promises** a prize that nobody entered for falls under SP4, and *may* fall under "
            f"SP{number % 4}. What is meant is the whole of the message, its links and what they lead to.\n\n"
            f"- SP4.r{number}: a prize of chapter {number} that nobody entered for, with `code {number}` to claim it\n"
            f"- SP2.r{number}: the same link {number} times in a row, without a word about what it is for\n"
            f"- SP0.r{number}: a single honest recommendation number {number}, by name and with a reason\n\n"
            f"> “You have won item {number}, claim it here” is SP4; “I liked item {number}” is SP0.\n"
        )
    return "".join(parts)


def settled(window: MainWindow, app: QApplication) -> None:
    """Let everything that is under way come to its end."""
    quiet = 0
    while quiet < 20:
        app.processEvents()
        quiet = quiet + 1 if window.tasks.idle else 0
        time.sleep(0.05)


class Clock:
    """CPU times in milliseconds, of the window's thread and of the whole process."""

    def __init__(self) -> None:
        self.thread: list[float] = []
        self.process: list[float] = []

    def take(self, act: Callable[[], None]) -> None:
        """Do something and note how long it took."""
        thread, process = time.thread_time(), time.process_time()
        act()
        self.thread.append(1000 * (time.thread_time() - thread))
        self.process.append(1000 * (time.process_time() - process))

    def told(self, name: str) -> str:
        """One line: count, median, 95th percentile, worst."""
        ordered = sorted(self.thread)
        p95 = ordered[min(len(ordered) - 1, round(0.95 * len(ordered)))]
        return (
            f"{name:<28} n {len(ordered):>4}  p50 {median(ordered):6.2f} ms  p95 {p95:6.2f} ms  "
            f"worst {ordered[-1]:6.2f} ms  process p50 {median(self.process):6.2f} ms"
        )

    @property
    def p95(self) -> float:
        """The 95th percentile of the window's thread."""
        ordered = sorted(self.thread)
        return ordered[min(len(ordered) - 1, round(0.95 * len(ordered)))]


def measure(window: MainWindow, app: QApplication, keys: int) -> dict[str, Clock]:
    """Type into the middle of the open policy, in bursts, and take the pauses apart."""
    editor = window.workbench.policy.editor
    clocks = {name: Clock() for name in ("letters", "ends of lines", "backspace", "undo", _PAUSE)}
    editor.setFocus()
    middle = editor.document().findBlockByNumber(editor.blockCount() // 2)
    editor.setTextCursor(QTextCursor(middle))
    editor.moveCursor(QTextCursor.MoveOperation.EndOfBlock)
    app.processEvents()

    def press(key: Qt.Key | str) -> None:
        if isinstance(key, str):
            QTest.keyClicks(editor, key)
        else:
            QTest.keyClick(editor, key)
        app.processEvents()

    def undo() -> None:
        editor.undo()
        app.processEvents()

    for number in range(keys):
        letter = _TYPED[number % len(_TYPED)]
        clocks["letters"].take(lambda letter=letter: press(letter))  # type: ignore[misc]  # bound at once
        if number % 23 == 22:
            clocks["ends of lines"].take(lambda: press(Qt.Key.Key_Return))
        if number % 17 == 16:
            clocks["backspace"].take(lambda: press(Qt.Key.Key_Backspace))
        if number % 31 == 30:
            clocks["undo"].take(undo)
        if number % 60 == 59:
            until = time.monotonic() + 2.0
            spent = Clock()
            while time.monotonic() < until:
                spent.take(app.processEvents)
                time.sleep(0.01)
            clocks[_PAUSE].thread.append(max(spent.thread))
            clocks[_PAUSE].process.append(max(spent.process))
    return clocks


def main() -> int:
    """Measure and print; 1 when a keystroke is over the budget at the 95th percentile."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--tokens", type=int, default=10_000)
    parser.add_argument("--keys", type=int, default=300)
    parser.add_argument("--profile", metavar="FILE", help="write a profile of the typing, for pstats")
    parser.add_argument("--tab", type=int, default=0, help="which tab under the editor is open, from 0")
    asked = parser.parse_args()
    app = QApplication(sys.argv[:1])
    theme = Theme(app)
    theme.choose(settings.Theme.LIGHT, None)
    with tempfile.TemporaryDirectory() as folder:
        os.environ["MODERATION_STUDIO_HOME"] = folder
        script = Script(answers=(ScriptedAnswer(text="<|channel|>final<|message|>{}<|return|>"),))
        studio = Studio.open(Path(folder) / "bench.studio", engine=EngineClient(script=script))
        text = long_text(asked.tokens)
        labels = studio.policies.get("spam").policy.labels
        studio.policies.save(Policy(id="long", title="A long policy", text=text, labels=labels))
        window = build_window(theme, studio, settings.load())
        window.resize(1280, 800)
        window.show()
        settled(window, app)
        window.workbench.open_policy("long")
        settled(window, app)
        window.workbench.policy.tabs.setCurrentIndex(asked.tab)
        settled(window, app)
        shown = window.workbench.policy.tabs.tabText(asked.tab)
        print(f"{len(text):,} characters, {window.workbench.policy.editor.blockCount():,} lines, tab {shown!r}")
        if asked.profile:
            import cProfile  # only here, so that it is not in what is measured

            profile = cProfile.Profile(time.thread_time)
            clocks = profile.runcall(measure, window, app, asked.keys)
            profile.dump_stats(asked.profile)
        else:
            clocks = measure(window, app, asked.keys)
        for name, clock in clocks.items():
            if clock.thread:
                print(clock.told(name))
        window.shut_down()
    return int(any(clock.p95 > _BUDGET_MS for name, clock in clocks.items() if clock.thread and name != _PAUSE))


if __name__ == "__main__":
    # Past the destructors of Qt, which have nothing more to do here.
    sys.stdout.flush()
    code = main()
    sys.stdout.flush()
    os._exit(code)
