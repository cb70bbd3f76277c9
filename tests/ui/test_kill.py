"""A drafting session that is killed again and again while somebody types without a pause: all is there again."""

from __future__ import annotations

import random
import subprocess
import sys
import time
from pathlib import Path

from studio.engine.client import EngineClient
from studio.engine.scripted import Script
from studio.services.studio import Studio
from tests.ui.conftest import POLICY_TEXT

ROUNDS = 3
LOSS_S = 1.0
"""Seconds of typing that a kill may cost (issue: the policy workbench)."""

# Types a letter into policy and content every 20 ms and never rests, and tells each with the clock that all processes
# of a machine share.
_WINDOW = """
import sys
import time
from pathlib import Path
from PySide6.QtCore import Qt, QTimer
from PySide6.QtGui import QTextCursor
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication
from studio import settings
from studio.app import build_window
from studio.engine.client import EngineClient
from studio.engine.scripted import Script
from studio.services.studio import Studio
from studio.ui.theme import Theme

app = QApplication(sys.argv[:1])
theme = Theme(app)
theme.choose(settings.Theme.LIGHT, None)
studio = Studio.open(Path(sys.argv[1]), engine=EngineClient(script=Script()))
window = build_window(theme, studio, settings.load())
window.show()
bench = window.workbench
typed = 0

def type_on():
    global typed
    QTest.keyClick(bench.policy.editor, Qt.Key.Key_X)
    QTest.keyClick(bench.content.message, Qt.Key.Key_Z)
    typed += 1
    print("typed", typed, time.monotonic(), flush=True)

def begin():
    text = bench.policy.editor.exact_text()
    print("found", text.count("x"), bench.content.message.exact_text().count("z"), flush=True)
    bench.policy.editor.moveCursor(QTextCursor.MoveOperation.End)
    timer.start(20)

timer = QTimer()
timer.timeout.connect(type_on)

def wait():
    if bench.is_ready and window.tasks.idle:
        if bench.policy.document.policy.id != "small-spam":
            bench.open_policy("small-spam")
        else:
            poll.stop()
            begin()

poll = QTimer()
poll.timeout.connect(wait)
poll.start(20)
app.exec()
"""


def test_a_session_killed_at_random_points_loses_a_second_at_most(workspace: Path) -> None:
    with Studio.open(workspace, engine=EngineClient(script=Script())) as studio:
        policy = studio.policies.get("spam").policy
        small = type(policy)(id="small-spam", title="Small spam", text=POLICY_TEXT, labels=policy.labels)
        studio.policies.save(small)
    chance = random.Random(5)
    before = POLICY_TEXT.count("x")
    there = content_due = 0
    for _ in range(ROUNDS):
        found, content, letters, killed = _typed_until_killed(workspace, chance.uniform(0.4, 2.2))
        # The window came up with all that the last kill left.
        assert found == before + there
        assert content >= content_due
        with Studio.open(workspace, engine=EngineClient(script=Script())) as studio:
            draft = studio.policies.draft("small-spam")
        text = draft.text if draft is not None else POLICY_TEXT
        # Nothing but what was typed, in its place: an earlier text is never mixed with a later one.
        assert text.startswith(POLICY_TEXT)
        kept = text.removeprefix(POLICY_TEXT)
        assert kept == "x" * len(kept)
        assert there <= len(kept) <= there + len(letters)
        # A machine that stood still for a while may lose what it stood still over.
        stood = max((late - early for early, late in zip(letters, letters[1:], strict=False)), default=0.0)
        due = sum(moment <= killed - LOSS_S - stood for moment in letters)
        assert len(kept) >= there + due, (len(kept) - there, due, stood)
        there, content_due = len(kept), content + due
    assert there > 0


def _typed_until_killed(workspace: Path, after_s: float) -> tuple[int, int, list[float], float]:
    """How many letters the window found in policy and content, when it typed its own, and when it was killed."""
    root = Path(__file__).resolve().parents[2]
    command = [sys.executable, "-c", _WINDOW, str(workspace)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, cwd=root) as window:
        assert window.stdout is not None
        told = [window.stdout.readline().split()]
        time.sleep(after_s)
        killed = time.monotonic()
        window.kill()
        told += [line.split() for line in window.stdout.read().splitlines()]
    letters = [float(line[2]) for line in told if line[:1] == ["typed"] and len(line) == 3]
    assert told[0][:1] == ["found"]
    return int(told[0][1]), int(told[0][2]), letters, killed
