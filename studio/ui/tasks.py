"""The only threads of the window.

Work is put into named lanes. A lane does one thing at a time, in the order it was asked for, so that a draft saved
later is never overtaken by one saved earlier. Results come back in the window's thread.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from PySide6.QtCore import QDeadlineTimer, QElapsedTimer, QObject, QRunnable, Qt, QThreadPool, Signal, Slot

from studio.core.progress import Cancel, Pause


class Lane(StrEnum):
    """What kinds of work there are; each has one thread."""

    JUDGE = "judge"
    REPEAT = "repeat"
    EXPLAIN = "explain"
    STORE = "store"
    READ = "read"
    TOKENS = "tokens"
    WARM = "warm"
    MODEL = "model"
    FETCH = "fetch"
    CHECK = "check"
    MACHINE = "machine"
    SERVER = "server"
    EVALUATE = "evaluate"
    ANALYSE = "analyse"


@dataclass(eq=False, slots=True)
class Job:
    """A piece of work on its way. ``title`` is shown in the footer while it runs; empty for silent work.

    ``eta_s`` is the time left in seconds, None when nobody knows. Work that can wait between two steps has a ``pause``.
    """

    lane: Lane
    title: str
    work: Callable[[], Any]
    on_done: Callable[[Any], None] | None
    on_error: Callable[[Exception], None] | None
    cancel: Cancel = field(default_factory=Cancel)
    progress: tuple[int, int] = (0, 0)
    waits: bool = True
    pause: Pause | None = None
    on_dropped: Callable[[], None] | None = None
    eta_s: float | None = None


class _Runner(QRunnable):
    def __init__(self, tasks: Tasks, job: Job) -> None:
        super().__init__()
        self._tasks, self._job = tasks, job

    def run(self) -> None:
        if self._job.cancel.requested and self._job.lane is not Lane.STORE:
            self._tasks.ended.emit(self._job, None, None)
            return
        try:
            result = self._job.work()
        except Exception as error:  # the edge of the thread: everything goes to the one place for errors
            self._tasks.ended.emit(self._job, None, error)
        else:
            self._tasks.ended.emit(self._job, result, None)


class Tasks(QObject):
    """Runs work beside the window. ``changed`` tells that what runs, or how far it is, has changed."""

    ended = Signal(object, object, object)
    progressed = Signal(object, int, int)
    changed = Signal()

    def __init__(self, unexpected: Callable[[Exception], None], parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._unexpected = unexpected
        self._pools: dict[Lane, QThreadPool] = {}
        self._jobs: list[Job] = []
        self._closed = False
        for lane in Lane:
            pool = QThreadPool(self)
            pool.setMaxThreadCount(1)
            pool.setExpiryTimeout(-1)
            self._pools[lane] = pool
        self.ended.connect(self._deliver, Qt.ConnectionType.QueuedConnection)
        self.progressed.connect(self._note_progress, Qt.ConnectionType.QueuedConnection)

    @property
    def visible(self) -> tuple[Job, ...]:
        """What runs or waits and has a title, oldest first."""
        return tuple(job for job in self._jobs if job.title)

    @property
    def idle(self) -> bool:
        """Whether nothing runs or waits."""
        return not self._jobs

    def run(
        self,
        lane: Lane,
        work: Callable[[], Any],
        *,
        on_done: Callable[[Any], None] | None = None,
        on_error: Callable[[Exception], None] | None = None,
        title: str = "",
        cancel: Cancel | None = None,
        pause: Pause | None = None,
        on_dropped: Callable[[], None] | None = None,
    ) -> Job:
        """Do ``work`` in its lane. Without ``on_error`` an error goes to the one place that shows errors.

        ``on_dropped`` is called instead of the others when it was cancelled and has no result.
        """
        job = Job(lane, title, work, on_done, on_error, cancel or Cancel(), pause=pause, on_dropped=on_dropped)
        if self._closed:
            return job
        self._jobs.append(job)
        self._pools[lane].start(_Runner(self, job))
        self.changed.emit()
        return job

    def close(self, milliseconds: int = 5000) -> bool:
        """Ask everything to stop, let what is being written be written, and wait. False when time ran out."""
        self._closed = True
        for job in self._jobs:
            job.cancel.request()
        clock = QElapsedTimer()
        clock.start()
        ended = True
        for pool in self._pools.values():
            rest = max(0, milliseconds - clock.elapsed())
            ended = pool.waitForDone(QDeadlineTimer(rest)) and ended
        self._jobs.clear()
        return ended

    @Slot(object, object, object)
    def _deliver(self, job: Job, result: Any, error: Exception | None) -> None:
        if job in self._jobs:
            self._jobs.remove(job)
        if self._closed:
            return
        self.changed.emit()
        if error is not None:
            (job.on_error or self._unexpected)(error)
        elif result is None and job.cancel.requested:
            if job.on_dropped is not None:
                job.on_dropped()
        elif job.on_done is not None:
            job.on_done(result)

    @Slot(object, int, int)
    def _note_progress(self, job: Job, done: int, total: int) -> None:
        job.progress = (done, total)
        if not self._closed:
            self.changed.emit()
