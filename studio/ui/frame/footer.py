"""The line at the bottom: what runs, how far it is and how to stop it; else a quiet word on what was done last.

It is always there, so that nothing moves when work begins.
"""

from __future__ import annotations

from PySide6.QtCore import QTimer
from PySide6.QtWidgets import QFrame, QProgressBar

from studio.ui.actions import Act, keys_text
from studio.ui.context import Context
from studio.ui.tasks import Job
from studio.ui.widgets.basics import ElidedLabel, icon_button, row, spread, text_label
from studio.ui.words import left_words

_TELL_MS = 6000


class Footer(QFrame):
    """The line."""

    def __init__(self, context: Context) -> None:
        super().__init__()
        self.setObjectName("footer")
        self._context = context
        self._job: Job | None = None
        self._last = "Everything is kept as you type"
        theme = context.theme
        self.words = ElidedLabel()
        self._bar = QProgressBar()
        self._bar.setTextVisible(False)
        self._bar.setFixedWidth(theme.scale.px(160))
        self._bar.setAccessibleName("Progress")
        self.pause = icon_button(theme, "pause", "Pause this", act=self._hold, checkable=True)
        self._stop = icon_button(theme, "x", "Stop this", act=self._cancel)
        self._keys = text_label()
        self.show_keys(runs=True)
        self.setLayout(
            row(spread(self.words), self._bar, self.pause, self._stop, self._keys, spacing=12, margins=(16, 0, 12, 0))
        )
        theme.follow(self, lambda: self.setFixedHeight(theme.scale.px(28)))
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.setInterval(_TELL_MS)
        self._timer.timeout.connect(self._calm)
        context.tasks.changed.connect(self._refresh)
        context.changes.status.connect(self.tell)
        self._refresh()

    def show_keys(self, *, runs: bool) -> None:
        """Name the keys that every page has; ``runs`` says whether something can be run on the page in view."""
        run = f"{keys_text(Act.RUN)} run   ·   " if runs else ""
        self._keys.setText(f"{run}{keys_text(Act.PALETTE)} find   ·   {keys_text(Act.KEYS)} keys")

    def tell(self, words: str) -> None:
        """Say what was done, for a few seconds."""
        self._last = words
        self._timer.start()
        self._refresh()

    def _calm(self) -> None:
        self._last = "Everything is kept as you type"
        self._refresh()

    def _refresh(self) -> None:
        jobs = self._context.tasks.visible
        self._job = jobs[0] if jobs else None
        for widget in (self._bar, self._stop):
            widget.setVisible(self._job is not None)
        self._keys.setVisible(self._job is None)
        self.pause.setVisible(self._job is not None and self._job.pause is not None)
        if self._job is None:
            self.words.setText(self._last)
            return
        done, total = self._job.progress
        more = f"   ·   {len(jobs) - 1} waiting" if len(jobs) > 1 else ""
        part = f" {100 * done // total} %" if total else ""
        held = self._job.pause is not None and self._job.pause.requested
        self.pause.setChecked(held)
        left = "" if self._job.eta_s is None else f"   ·   {left_words(self._job.eta_s)}"
        self.words.setText(f"{self._job.title}{part}{'   ·   paused' if held else left}{more}")
        self._bar.setRange(0, total or 0)
        self._bar.setValue(done)

    def _hold(self) -> None:
        """Let the job wait, or go on."""
        pause = self._job.pause if self._job is not None else None
        if pause is not None:
            (pause.request if self.pause.isChecked() else pause.resume)()
            self._refresh()

    def _cancel(self) -> None:
        if self._job is not None:
            self._job.cancel.request()
