"""Runs one judgement at a time and tells how it goes, in the window's thread."""

from __future__ import annotations

from PySide6.QtCore import QObject, Signal

from studio.core.content import Content
from studio.core.policy import Effort, Policy
from studio.core.progress import Cancel
from studio.core.run import Run
from studio.ui.bridge import JudgeBridge
from studio.ui.context import Context
from studio.ui.tasks import Lane


class Runner(QObject):
    """Starts and stops judgements. ``finished`` hands over the run as it was stored; ``failed`` comes without one."""

    began = Signal()
    finished = Signal(object)
    failed = Signal()

    def __init__(self, context: Context, parent: QObject) -> None:
        super().__init__(parent)
        self._context = context
        self._cancel: Cancel | None = None
        self.bridge = JudgeBridge(self)

    @property
    def running(self) -> bool:
        """Whether a judgement is under way."""
        return self._cancel is not None

    def start(self, policy: Policy, content: Content, effort: Effort | None, session_id: str) -> None:
        """Judge; does nothing while another judgement is under way."""
        if self.running:
            return
        cancel = Cancel()
        self._cancel = cancel
        studio, push = self._context.studio, self.bridge.push
        chosen = effort or self._context.preferences.values.effort
        sampling = self._context.preferences.values.sampling

        def work() -> Run:
            return studio.judge.judge(
                policy, content, session_id=session_id, effort=chosen, sampling=sampling, on_event=push, cancel=cancel
            )

        self._context.tasks.run(
            Lane.JUDGE, work, on_done=self._done, on_error=self._went_wrong, title="Judging", cancel=cancel
        )
        self.began.emit()

    def stop(self) -> None:
        """Stop what runs."""
        if self._cancel is not None:
            self._cancel.request()

    def _done(self, run: Run) -> None:
        self.bridge.flush()
        self._cancel = None
        self.finished.emit(run)
        self._context.changes.runs.emit()
        self._context.changes.model.emit()

    def _went_wrong(self, error: Exception) -> None:
        self.bridge.forget()
        self._cancel = None
        self.failed.emit()
        self._context.errors.show(error)
