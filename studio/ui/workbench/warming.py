"""Reads the open policy into the model before anybody asks: the first verdict then waits for the content alone."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import QObject, QTimer, Signal

from studio.core.policy import Effort
from studio.core.progress import Cancel
from studio.services.models import ModelInfo
from studio.ui.context import Context
from studio.ui.tasks import Job, Lane
from studio.ui.workbench.document import PolicyDocument
from studio.ui.workbench.runner import Runner

WARM_PAUSE_MS = 300
"""From opening a policy to reading it: who only leafs through the list reads none."""


class Warming(QObject):
    """Warms the policy of ``document``. ``effort`` says under which it would be judged, as it stands before the policy.

    What was read stays read when it is stopped, so a judgement stops it and goes on from there. ``warmed`` names
    a policy that was read to its end.
    """

    warmed = Signal(str)

    def __init__(
        self,
        context: Context,
        document: PolicyDocument,
        runner: Runner,
        effort: Callable[[], Effort | None],
        parent: QObject,
    ) -> None:
        super().__init__(parent)
        self._context, self._document, self._runner, self._effort = context, document, runner, effort
        self._read_for: tuple[str, Effort | None] | None = None
        self._read_by: ModelInfo | None = None
        self._job: Job | None = None
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.setInterval(WARM_PAUSE_MS)
        self._timer.timeout.connect(self._go)
        context.changes.model.connect(self.touch)
        runner.began.connect(self.stop)

    def touch(self) -> None:
        """Another policy was opened, another effort chosen or another model loaded: read it unless that was done."""
        self._timer.start()

    def stop(self) -> None:
        """Stop reading."""
        self._timer.stop()
        if self._job is not None:
            self._job.cancel.request()
            self._job = None

    def _go(self) -> None:
        models, judge = self._context.studio.models, self._context.studio.judge
        info = models.info
        if info is None or not models.loaded or self._runner.running or not self._document.is_open:
            return
        policy, effort = self._document.policy, self._effort()
        if (policy.id, effort) == self._read_for and info is self._read_by:
            return
        self.stop()
        self._read_for, self._read_by = (policy.id, effort), info
        cancel = Cancel()
        self._job = self._context.tasks.run(
            Lane.WARM,
            lambda: judge.warm(policy, effort=effort, cancel=cancel),
            on_done=lambda _none: self.warmed.emit(policy.id),
            # What keeps a policy from being read keeps it from judging too, and is told there.
            on_error=lambda _error: None,
            cancel=cancel,
        )
