"""The line that finds what flipped an example: how far the search is, and what it found."""

from __future__ import annotations

from PySide6.QtCore import Signal, Slot
from PySide6.QtWidgets import QFrame

from studio.core.content import Content
from studio.core.progress import Cancel, Progress
from studio.services.bisect import Bisection, bisect
from studio.ui.context import Context
from studio.ui.tasks import Job, Lane
from studio.ui.widgets.basics import ElidedLabel, column, icon_button, push_button, row, text_label
from studio.ui.widgets.pill import PillSize, VerdictPill
from studio.ui.words import count, left_words


class BisectStrip(QFrame):
    """Bisects one content at a time. ``found`` hands on the two versions and the changes of the text that decide."""

    found = Signal(int, int, tuple)
    _told = Signal(object, object)

    def __init__(self, context: Context) -> None:
        super().__init__()
        self.setProperty("kind", "note")
        self._context = context
        self._cancel: Cancel | None = None
        self._job: Job | None = None
        theme = context.theme
        self._before, self._after = VerdictPill(theme, PillSize.SMALL), VerdictPill(theme, PillSize.SMALL)
        self._arrow = text_label("→", "quiet")
        self.words = ElidedLabel(kind="section")
        self.detail = ElidedLabel(kind="small")
        self.stop_button = push_button(theme, "Stop", icon_name="stop", act=self.stop, tip="Stop (Esc)")
        self.close_button = icon_button(theme, "x", "Close what was found", act=self.forget)
        line = row(self._before, self._arrow, self._after, spacing=8, margins=(12, 8, 8, 8))
        line.addLayout(column(self.words, self.detail, spacing=0), 1)
        line.addWidget(self.stop_button)
        line.addWidget(self.close_button)
        self.setLayout(line)
        self._told.connect(self._tell)
        self.hide()

    @property
    def running(self) -> bool:
        """Whether a search is under way."""
        return self._cancel is not None

    def start(self, policy_id: str, content: Content, first: int, last: int) -> None:
        """Find the version after ``first`` and up to ``last`` that flipped the content."""
        self.forget()
        cancel = Cancel()
        self._cancel = cancel
        studio, told = self._context.studio, self._told
        cancel.on_request(lambda: told.emit(cancel, None))

        def failed(error: Exception) -> None:
            self._over(cancel)
            self.hide()
            self._context.errors.show(error)

        self._job = self._context.tasks.run(
            Lane.EXPLAIN,
            lambda: bisect(
                studio, policy_id, content, first, last, on_progress=lambda one: told.emit(cancel, one), cancel=cancel
            ),
            on_done=lambda done: self._show(cancel, done),
            on_error=failed,
            title="Finding what flipped it",
            cancel=cancel,
        )
        self._say(f"Judging {content.title}", f"between version {first} and version {last}")
        self.show()

    def stop(self) -> None:
        """Stop the search; what was judged stays in the History."""
        if self._cancel is not None:
            self._cancel.request()

    def forget(self) -> None:
        """Stop and show nothing."""
        self.stop()
        self._cancel, self._job = None, None
        self.hide()

    @Slot(object, object)
    def _tell(self, cancel: Cancel, progress: Progress | None) -> None:
        if cancel is not self._cancel:
            return
        if progress is None:
            self._over(cancel)
            self.hide()
            return
        left = left_words(progress.eta_s) if progress.eta_s is not None else ""
        self._say(f"{progress.done} of about {progress.total} judged", left)
        if self._job is not None:
            self._job.eta_s = progress.eta_s
            self._context.tasks.progressed.emit(self._job, progress.done, progress.total)

    def _show(self, cancel: Cancel, found: Bisection) -> None:
        if cancel is not self._cancel:
            return
        self._over(cancel)
        runs = [found.run_of(version.number) for version in (found.before, found.after)]
        for pill, run in zip((self._before, self._after), runs, strict=True):
            pill.show_decision(run.verdict.decision if run.verdict else None)
        number, total = len(found.culprits), len(found.suspects)
        detail = "by its only change" if total == 1 else f"by {number} of its {count(total, 'change')}"
        if None in found.culprits:
            detail += ", labels or form of answer among them" if number > 1 else ": labels or form of answer"
        if found.unclear:
            detail += f". Without a verdict between them: {', '.join(f'v{one}' for one in found.unclear)}"
        self._say(f"Version {found.after.number} flipped it", detail)
        self._context.changes.runs.emit()
        self.found.emit(
            found.before.number, found.after.number, tuple(hunk for hunk in found.culprits if hunk is not None)
        )

    def _over(self, cancel: Cancel) -> None:
        if cancel is self._cancel:
            self._cancel, self._job = None, None

    def _say(self, words: str, detail: str) -> None:
        self.words.setText(words)
        self.detail.setText(detail)
        for part in (self._before, self._arrow, self._after):
            part.setVisible(not self.running)
        self.stop_button.setVisible(self.running)
        self.close_button.setVisible(not self.running)
        self.setAccessibleName(f"{words}. {detail}")
