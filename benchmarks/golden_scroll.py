"""How long the window stands still while a golden set of 100,000 examples is listed, scrolled and filtered.

    python -m benchmarks.golden_scroll [--rows 100000]

The real window over a real workspace, without a screen. A timer ticks every few milliseconds; what lies between two
ticks is how long the event loop was busy. Told are the processor time of the window's own thread, that of all the
studio's threads, of which one may hold the others up, and the time on the clock. Other programs on the machine change
only the last. The model is scripted; nothing is judged.
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")

from PySide6.QtCore import QTimer
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication

from studio import settings
from studio.app import build_window
from studio.core.content import Content
from studio.core.golden import GoldenExample
from studio.core.labels import Decision
from studio.engine.client import EngineClient
from studio.engine.scripted import Script
from studio.services.studio import Studio
from studio.store.workspace import Workspace
from studio.ui.golden.page import GoldenPage
from studio.ui.golden.rows import Mark, Outcome
from studio.ui.theme import Theme

_TICK_MS = 4
_WORDS = ("parcel", "river", "window", "garden", "ticket", "follow", "prize", "bakery", "meeting", "cheap")


@dataclass
class Watch:
    """The longest that the event loop was busy at one go, in milliseconds of thread, process and clock time."""

    busy: float = 0.0
    own: float = 0.0
    clock: float = 0.0
    _last: tuple[float, float, float] = field(default_factory=lambda: _now())

    def tick(self) -> None:
        """Note what lies between this tick and the one before."""
        now = _now()
        busy, own, clock = (1000 * (after - before) for after, before in zip(now, self._last, strict=True))
        self.busy, self.clock = max(self.busy, busy), max(self.clock, clock)
        # Two threads may use more than there was of the clock.
        self.own = max(self.own, min(own, clock))
        self._last = now


def _now() -> tuple[float, float, float]:
    return time.thread_time(), time.process_time(), time.perf_counter()


def fill(path: Path, rows: int) -> None:
    """A workspace whose spam policy has that many examples more."""
    with Workspace.open(path) as workspace:
        for start in range(0, rows, 5_000):
            workspace.golden.add_new(
                [
                    GoldenExample(
                        f"{n:032x}",
                        "spam",
                        Content.message(f"Row {n}: {' '.join(_WORDS[(n * k) % len(_WORDS)] for k in range(1, 25))}"),
                        (Decision.ALLOWED, Decision.VIOLATES, None)[n % 3],
                        ("SP2",) if n % 3 == 1 else (),
                        tags=("even",) if n % 2 == 0 else (),
                        source=f"rows.csv, row {n}",
                    )
                    for n in range(start, min(rows, start + 5_000))
                ]
            )


def outcomes(rows: int) -> dict[str, Outcome]:
    """What could have come of the examples."""
    wrong, right = Outcome(Decision.ALLOWED, False), Outcome(Decision.VIOLATES, True)
    return {f"{n:032x}": wrong if n % 5 == 0 else right for n in range(rows)}


def measure(name: str, page: GoldenPage, act: Callable[[], None], until: Callable[[], object]) -> None:
    """Do something, wait until it is done, and tell the longest stall."""
    watch, timer = Watch(), QTimer()
    timer.setInterval(_TICK_MS)
    timer.timeout.connect(watch.tick)
    QTest.qWait(50)
    timer.start()
    begun = time.perf_counter()
    act()
    for _ in range(30_000):
        if until():
            break
        QTest.qWait(5)
    QTest.qWait(100)
    timer.stop()
    took = time.perf_counter() - begun
    times = f"busy {watch.busy:6.1f} ms   own {watch.own:6.1f} ms   clock {watch.clock:7.1f} ms"
    print(f"{name:34} {times}   done after {took:6.1f} s")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=100_000)
    rows = parser.parse_args().rows
    with tempfile.TemporaryDirectory() as folder:
        os.environ["MODERATION_STUDIO_HOME"] = folder
        path = Path(folder) / "large.studio"
        Studio.open(path, engine=EngineClient(script=Script())).close()
        begun = time.perf_counter()
        fill(path, rows)
        print(f"{rows:,} examples stored in {time.perf_counter() - begun:.1f} s")
        app = QApplication(sys.argv[:1])
        theme = Theme(app)
        theme.choose(settings.Theme.LIGHT, None)
        window = build_window(theme, Studio.open(path, engine=EngineClient(script=Script())), settings.load())
        window.resize(1280, 800)
        window.show()
        page = window.golden

        def idle() -> bool:
            return window.tasks.idle

        for _ in range(6_000):
            if window.workbench.is_ready and idle():
                break
            QTest.qWait(10)
        page.bar.policy.set_choices({"spam": "Spam"})
        measure("open the page", page, lambda: window.go_to("golden"), lambda: page._policy_id and idle())
        if page._policy_id != "spam":
            measure("open the set", page, lambda: page.bar.policy.pick("spam"), lambda: page.table.rowCount() > rows)
        bar = page.view.verticalScrollBar()

        def scroll() -> None:
            for step in range(1, 201):
                bar.setValue(bar.maximum() * step // 200)
                QApplication.processEvents()

        measure("scroll through all of it", page, scroll, idle)
        measure("jump to the end", page, page.view.scrollToBottom, idle)
        known = outcomes(rows)
        marked = frozenset(key for key, outcome in known.items() if not outcome.right)
        measure("show what came of all", page, lambda: page.table.show_outcomes(known), idle)
        page.filters.show_marks({Mark.WRONG: marked})
        page._marked = lambda: {Mark.WRONG: marked}  # type: ignore[method-assign]  # no evaluation is made for this
        measure("filter by wrong", page, page.filters.chip(Mark.WRONG).click, lambda: page.table.rowCount() < rows)
        measure("take the filter away", page, page.filters.chip(Mark.WRONG).click, lambda: page.table.rowCount() > rows)
        measure("search for words", page, lambda: page.filters.search.setText("ticket prize"), lambda: not idle())
        measure("until it is found", page, lambda: None, idle)
        measure("filter by tag", page, lambda: page.filters.tag.pick("even"), idle)
        window.shut_down()


if __name__ == "__main__":
    main()
