"""A window that is killed while somebody types without a pause: what was typed is there again."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from studio.engine.client import EngineClient
from studio.engine.scripted import Script
from studio.services.studio import Studio
from tests.ui.conftest import POLICY_TEXT

# Types a letter every 20 ms and never rests; tells how many letters are kept each time a draft was written.
_WINDOW = """
import sys
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
asked = []

def type_on():
    global typed
    QTest.keyClick(bench.policy.editor, Qt.Key.Key_X)
    typed += 1

def begin():
    bench.policy.editor.moveCursor(QTextCursor.MoveOperation.End)
    keep = bench.policy.work.keep_draft
    bench.policy.work.kept.connect(lambda: print("kept", asked.pop(0), typed, flush=True))
    save = studio.policies.save_draft
    def noted(policy):
        asked.append(policy.text.count("x") - {before})
        save(policy)
    studio.policies.save_draft = noted
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


def test_what_was_typed_without_a_pause_outlives_a_kill(workspace: Path, tmp_path: Path) -> None:
    with Studio.open(workspace, engine=EngineClient(script=Script())) as studio:
        labels = studio.policies.get("spam").policy.labels
        policy = studio.policies.get("spam").policy
        small = type(policy)(id="small-spam", title="Small spam", text=POLICY_TEXT, labels=labels)
        studio.policies.save(small)
    code = _WINDOW.replace("{before}", str(POLICY_TEXT.count("x")))
    command = [sys.executable, "-c", code, str(workspace)]
    root = Path(__file__).resolve().parents[2]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, cwd=root) as window:
        assert window.stdout is not None
        told = [window.stdout.readline().split() for _ in range(3)]
        window.kill()
        told += [line.split() for line in window.stdout.read().splitlines()]
    kept = max(int(line[1]) for line in told if line[:1] == ["kept"])
    assert kept > 0  # it kept drafts though there never was a pause
    with Studio.open(workspace, engine=EngineClient(script=Script())) as studio:
        draft = studio.policies.draft("small-spam")
    assert draft is not None
    letters = draft.text.removeprefix(POLICY_TEXT)
    assert letters == "x" * len(letters)
    assert len(letters) >= kept
