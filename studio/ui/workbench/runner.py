"""Runs one judgement at a time and tells how it goes, in the window's thread."""

from __future__ import annotations

from dataclasses import dataclass

from PySide6.QtCore import QObject, Signal

from studio.core.content import Content
from studio.core.policy import Effort, Policy
from studio.core.progress import Cancel
from studio.core.run import Run
from studio.core.verdict import Status
from studio.services.sessions import LIVE
from studio.ui.bridge import JudgeBridge
from studio.ui.context import Context
from studio.ui.tasks import Lane


@dataclass(frozen=True, slots=True)
class Asked:
    """What is judged: two that are equal give the same judgement."""

    policy: Policy
    content: Content
    effort: Effort | None


class Runner(QObject):
    """Starts and stops judgements. ``finished`` hands over the run as it was stored; ``failed`` comes without one.

    ``ended`` comes after either, and alone for a live judgement that was stopped: it has left no record, and what is
    shown stays. It tells whether engine or workspace have failed.
    """

    began = Signal()
    finished = Signal(object)
    failed = Signal()
    ended = Signal(bool)

    def __init__(self, context: Context, parent: QObject) -> None:
        super().__init__(parent)
        self._context = context
        self._cancel: Cancel | None = None
        self._live = False
        self.bridge = JudgeBridge(self)

    @property
    def running(self) -> bool:
        """Whether a judgement is under way."""
        return self._cancel is not None

    @property
    def live(self) -> bool:
        """Whether what is under way was begun by live mode."""
        return self._live and self.running

    def start(self, asked: Asked, session_id: str, *, live: bool = False) -> None:
        """Judge; does nothing while another judgement is under way. A live one goes into the session of its own."""
        if self.running:
            return
        cancel = Cancel()
        self._cancel, self._live = cancel, live
        studio, push = self._context.studio, self.bridge.push
        chosen = asked.effort or self._context.preferences.values.effort
        sampling = self._context.preferences.values.sampling

        def work() -> Run:
            return studio.judge.judge(
                asked.policy,
                asked.content,
                session_id=studio.sessions.named(LIVE).id if live else session_id,
                effort=chosen,
                sampling=sampling,
                keep_stopped=not live,
                on_event=push,
                cancel=cancel,
            )

        self._context.tasks.run(
            Lane.JUDGE,
            work,
            on_done=self._done,
            on_error=self._went_wrong,
            on_dropped=self._dropped,
            title="" if live else "Judging",
            cancel=cancel,
        )
        self.began.emit()

    def stop(self) -> None:
        """Stop what runs."""
        if self._cancel is not None:
            self._cancel.request()

    def _done(self, run: Run) -> None:
        self.bridge.flush()
        live, self._live, self._cancel = self._live, False, None
        stopped = run.verdict is not None and run.verdict.status is Status.CANCELLED
        if not (live and stopped):
            self.finished.emit(run)
            self._context.changes.runs.emit()
        self._context.changes.model.emit()
        self.ended.emit(run.verdict is not None and run.verdict.status is Status.ENGINE_FAILED)

    def _dropped(self) -> None:
        """Stopped before it began."""
        live, self._live, self._cancel = self._live, False, None
        if not live:
            self.failed.emit()
        self.ended.emit(False)

    def _went_wrong(self, error: Exception) -> None:
        self.bridge.forget()
        self._cancel, self._live = None, False
        self.failed.emit()
        self._context.errors.show(error)
        self.ended.emit(True)
