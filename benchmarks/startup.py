"""How long the studio takes to start, as ratios to a bare start of Python and of Qt on the same machine.

Each round starts everything once, in turn, so that a busy machine slows all alike; the median of the rounds counts.
Run it with ``make bench``.
"""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROUNDS = 7
ROOT = Path(__file__).resolve().parents[1]

# Takes the place of the event loop: comes back as soon as a window is on the screen.
UNTIL_SHOWN = """
import sys
from PySide6.QtWidgets import QApplication, QWidget

def until_shown(*ignored):
    while not any(w.isVisible() and w.windowHandle() and w.windowHandle().isExposed()
                  for w in QApplication.topLevelWidgets()):
        QApplication.processEvents()
    return 0

QApplication.exec = until_shown
sys.argv = ["moderation-studio"]
"""
BARE_WINDOW = UNTIL_SHOWN + "app = QApplication(sys.argv)\nwidget = QWidget()\nwidget.show()\napp.exec()\n"
STUDIO_WINDOW = UNTIL_SHOWN + "from studio.__main__ import main\nmain()\n"

# What is started, by name.
STARTS = {
    "bare Python": ["-c", "pass"],
    "moderation-studio --help": ["-m", "studio", "--help"],
    "bare Qt window": ["-c", BARE_WINDOW],
    "moderation-studio, window shown": ["-c", STUDIO_WINDOW],
}
# What each is compared with.
COMPARED = {
    "moderation-studio --help": "bare Python",
    "moderation-studio, window shown": "bare Qt window",
}


def main() -> int:
    """Measure and print the table."""
    with tempfile.TemporaryDirectory() as home:
        environment = {**os.environ, "MODERATION_STUDIO_HOME": home, "QT_QPA_PLATFORM": "offscreen"}
        for arguments in STARTS.values():  # the first start makes the workspace and fills the disk's cache
            seconds(arguments, environment)
        rounds = [{name: seconds(arguments, environment) for name, arguments in STARTS.items()} for _ in range(ROUNDS)]
    medians = {name: statistics.median(times[name] for times in rounds) for name in STARTS}
    for name, median in medians.items():
        ratio = f"   {median / medians[COMPARED[name]]:4.1f} x {COMPARED[name]}" if name in COMPARED else ""
        print(f"{name:<34}{median:7.3f} s{ratio}")
    return 0


def seconds(arguments: list[str], environment: dict[str, str]) -> float:
    """The wall time of one process, from its start to its end."""
    started = time.perf_counter()
    subprocess.run([sys.executable, *arguments], cwd=ROOT, env=environment, check=True, stdout=subprocess.DEVNULL)
    return time.perf_counter() - started


if __name__ == "__main__":
    sys.exit(main())
