"""Downloads and checks of models beside the window: each can be paused, goes on later, and says how far it is."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

from PySide6.QtCore import QObject, Qt, Signal, Slot

from studio.core.progress import Cancel, Progress
from studio.services.shelf import PausedError
from studio.ui.context import Context
from studio.ui.tasks import Job, Lane

Work = Callable[[Callable[[Progress], None], Cancel], Any]


@dataclass(frozen=True, slots=True)
class Underway:
    """A piece of work on a model. ``what`` is ``download``, ``check`` or ``import``; ``behind`` another of its kind."""

    what: str
    job: Job
    progress: Progress | None = None
    behind: bool = False

    @property
    def percent(self) -> int | None:
        """How far it is; None while nobody knows."""
        if self.progress is None or not self.progress.total:
            return None
        return 100 * self.progress.done // self.progress.total

    @property
    def words(self) -> str:
        """What is shown on the card: ``43 % · 11 MB/s · 9 min left``."""
        if self.job.cancel.requested:
            return "Stopping"
        if self.progress is None:
            return "Waiting for its turn" if self.behind else "Connecting" if self.what == "download" else "Beginning"
        part = "" if self.percent is None else f"{self.percent} %"
        begin, _, rest = self.progress.message.partition(" · ")
        if not begin.startswith(("Downloading", "Checking")):
            return " · ".join(words for words in (part, self.progress.message) if words)
        doing = f"Checking {part}".strip() if begin.startswith("Checking") else part
        return " · ".join(words for words in (doing, rest) if words)


class Fetching(QObject):
    """Runs the work, one download and one check at a time.

    ``changed`` says on which model something moved, ``ended`` that the shelf may have changed with it. ``failed``
    carries the id and the error; a pause that was asked for is none.
    """

    changed = Signal(str)
    ended = Signal(str)
    failed = Signal(str, object)
    _told = Signal(str, object)

    def __init__(self, context: Context, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._context = context
        self._underway: dict[str, Underway] = {}
        self._told.connect(self._note, Qt.ConnectionType.QueuedConnection)
        context.tasks.changed.connect(self._drop_stopped)

    def of(self, key: str) -> Underway | None:
        """What is done with a model now."""
        return self._underway.get(key)

    def start(self, key: str, what: str, title: str, work: Work, on_done: Callable[[Any], None] | None = None) -> None:
        """Begin something with the model ``key``, unless something is done with it already."""
        if key in self._underway:
            return
        cancel = Cancel()

        def done(result: Any) -> None:
            self._end(key)
            if on_done is not None:
                on_done(result)

        def failed(error: Exception) -> None:
            self._end(key)
            if isinstance(error, PausedError) or cancel.requested:
                self._context.changes.status.emit(f"{title}: stopped. What was fetched is kept.")
            else:
                self.failed.emit(key, error)

        job = self._context.tasks.run(
            Lane.FETCH if what == "download" else Lane.CHECK,
            lambda: work(lambda progress: self._told.emit(key, progress), cancel),
            on_done=done,
            on_error=failed,
            title=title,
            cancel=cancel,
        )
        behind = any(other.what == what for other in self._underway.values())
        self._underway[key] = Underway(what, job, behind=behind)
        cancel.on_request(lambda: self._told.emit(key, None))
        self.changed.emit(key)

    def stop(self, key: str) -> None:
        """Stop what is done with a model; what was fetched is kept."""
        underway = self._underway.get(key)
        if underway is not None:
            underway.job.cancel.request()

    def _end(self, key: str) -> None:
        if self._underway.pop(key, None) is not None:
            self.changed.emit(key)
            self.ended.emit(key)

    def _drop_stopped(self) -> None:
        """Work that was stopped while it waited for its turn ends without another word."""
        for key, underway in list(self._underway.items()):
            if underway.job.cancel.requested and underway.job not in self._context.tasks.visible:
                self._end(key)

    @Slot(str, object)
    def _note(self, key: str, progress: Progress | None) -> None:
        underway = self._underway.get(key)
        if underway is None:
            return
        if progress is not None:
            self._underway[key] = replace(underway, progress=progress)
            underway.job.eta_s = progress.eta_s
            # The footer's bar counts in whole numbers of 32 bits.
            self._context.tasks.progressed.emit(underway.job, progress.done >> 10, progress.total >> 10)
        self.changed.emit(key)
