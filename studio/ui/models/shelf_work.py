"""What can be done on the Models page, beside the window: look, get, check, add, remove, choose, measure."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from PySide6.QtCore import QObject, Signal

from studio.core.errors import ModelFileError
from studio.core.progress import Cancel, Progress
from studio.services import download as downloads
from studio.services.download import DownloadPlan
from studio.services.fit import Advice, Measurement
from studio.services.machine import Machine
from studio.services.models import DeviceNote
from studio.services.shelf import Found, ShelfEntry
from studio.ui.context import Context
from studio.ui.errors import Mend
from studio.ui.models.fetching import Fetching
from studio.ui.tasks import Job, Lane
from studio.ui.words import count

MOST_TOLD = 3
"""Files of a folder whose reasons are told one by one; more would fill the window."""


@dataclass(frozen=True, slots=True)
class Seen:
    """What the shelf holds, the GPUs that could not load a model, by its id, and files of other programs."""

    entries: tuple[ShelfEntry, ...]
    notes: dict[str, tuple[DeviceNote, ...]]
    found: tuple[Found, ...]


@dataclass(frozen=True, slots=True)
class Advised:
    """This machine, when it was measured, and the advice by model id."""

    machine: Machine
    measured: Measurement | None
    advice: dict[str, Advice]


class ShelfWork(QObject):
    """Does it, and tells what was seen. ``load_wanted``: the window is to load the model that was chosen."""

    seen = Signal(object)
    advised = Signal(object)
    unknown = Signal(str)
    measuring = Signal(object)
    load_wanted = Signal()

    def __init__(self, context: Context, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._context = context
        self._studio = context.studio
        self._since = datetime.now(UTC).isoformat(timespec="seconds")
        self._measure: Job | None = None
        self.fetching = Fetching(context, self)
        self.fetching.ended.connect(lambda _key: self.look())
        self.fetching.failed.connect(lambda _key, error: context.errors.show(error))

    def look(self) -> None:
        """Read the shelf again, and what fits."""
        studio = self._studio

        def read() -> Seen:
            entries = tuple(studio.shelf.list())
            notes = {e.id: studio.models.notes(e.model) for e in entries if e.model is not None}
            return Seen(entries, notes, tuple(studio.shelf.discover()))

        self._context.tasks.run(Lane.READ, read, on_done=self._show)

    def watch(self) -> None:
        """Look only whether a GPU could not load the model in use; cheap, for while the page is not in sight."""
        models = self._studio.models

        def notes() -> tuple[DeviceNote, ...]:
            try:
                return models.notes(models.current())
            except ModelFileError:
                # The file is gone: whoever loads it is told.
                return ()

        self._context.tasks.run(Lane.READ, notes, on_done=self._tell_new)

    def plan(self, entry: ShelfEntry, show: Callable[[DownloadPlan], None]) -> None:
        """Work out what a download would do, reaching nothing, and hand it to ``show``."""
        shelf = self._studio.shelf
        self._context.tasks.run(Lane.READ, lambda: downloads.plan(shelf, entry.id), on_done=show)

    def download(self, plan: DownloadPlan, *, into_hub_cache: bool = False) -> None:
        """Fetch a model, or go on with it. The plan was agreed to."""
        shelf = self._studio.shelf

        def done(entry: ShelfEntry) -> None:
            self._context.errors.tell(
                f"{entry.title} is here",
                "Its sha256 is the right one. It stays on this machine.",
                mend=Mend("Use this model", lambda: self.use(entry)),
            )

        self.fetching.start(
            plan.id,
            "download",
            f"Downloading {plan.title}",
            lambda told, cancel: downloads.download(
                shelf, plan.id, into_hub_cache=into_hub_cache, on_progress=told, cancel=cancel
            ),
            done,
        )

    def check(self, entry: ShelfEntry) -> None:
        """Read every byte of a model again."""
        shelf = self._studio.shelf
        self.fetching.start(
            entry.id,
            "check",
            f"Checking {entry.title}",
            lambda told, cancel: shelf.verify(entry.id, on_progress=told, cancel=cancel),
            lambda found: self._say(f"{found.title}: every byte is as it was"),
        )

    def add(self, path: Path) -> None:
        """Put a file, or the models of a folder, on the shelf, where they lie."""
        shelf = self._studio.shelf
        refused: list[ModelFileError] = []

        def added(entries: list[ShelfEntry]) -> None:
            self._added(entries)
            if refused:
                self._context.errors.tell(
                    f"{count(len(refused), 'file')} of {path.name} cannot be used",
                    " ".join(error.message for error in refused[:MOST_TOLD]),
                    level="warn",
                )

        self.fetching.start(
            f"import {path}",
            "import",
            f"Adding {path.name}",
            lambda told, cancel: shelf.import_path(
                path, on_progress=told, cancel=cancel, on_refused=lambda _file, why: refused.append(why)
            ),
            added,
        )

    def adopt(self, found: Found) -> None:
        """Use another program's file where it lies."""
        shelf = self._studio.shelf
        self.fetching.start(
            f"import {found.path}",
            "import",
            f"Adding {found.name}",
            lambda told, cancel: [shelf.adopt(found, on_progress=told, cancel=cancel)],
            self._added,
        )

    def remove(self, entry: ShelfEntry) -> None:
        """Give a model up; where it judged, the demo model does from now on."""
        studio = self._studio

        def work() -> bool:
            in_use = entry.model is not None and studio.models.current().path == entry.model.path
            studio.shelf.remove(entry.id)
            if in_use:
                studio.models.use(studio.models.named("demo"))
            return in_use

        def done(in_use: bool) -> None:
            self._say(f"{entry.title} is {'deleted' if entry.ours else 'off the list'}")
            self.look()
            if in_use:
                self._context.changes.model.emit()
                self.load_wanted.emit()

        self._context.tasks.run(Lane.MODEL, work, on_done=done)

    def use(self, entry: ShelfEntry) -> None:
        """Judge with this model from now on."""
        models, model = self._studio.models, entry.model
        if model is None:
            return

        def chosen(_none: object) -> None:
            self._context.changes.model.emit()
            self.load_wanted.emit()

        self._context.tasks.run(Lane.MODEL, lambda: models.use(model), on_done=chosen)

    def retry(self, entry: ShelfEntry) -> None:
        """Try a GPU again that could not load this model."""
        models, model = self._studio.models, entry.model
        if model is None:
            return

        def forgotten(_none: object) -> None:
            self._context.changes.model.emit()
            self.load_wanted.emit()

        self._context.tasks.run(Lane.MODEL, lambda: models.try_again(model), on_done=forgotten)

    def measure(self) -> None:
        """Measure this machine, some ten seconds."""
        fit, cancel, jobs = self._studio.fit, Cancel(), list[Job]()

        def told(progress: Progress) -> None:
            if jobs:
                self._context.tasks.progressed.emit(jobs[0], progress.done, progress.total)
            self.measuring.emit(progress.message)

        def ended() -> None:
            self._measure = None
            self.measuring.emit(None)
            self.look()

        def failed(error: Exception) -> None:
            ended()
            if not cancel.requested:
                self._context.errors.show(error)

        self._measure = self._context.tasks.run(
            Lane.MACHINE,
            lambda: fit.measure(on_progress=told, cancel=cancel),
            on_done=lambda _measured: ended(),
            on_error=failed,
            title="Measuring this machine",
            cancel=cancel,
        )
        jobs.append(self._measure)
        self.measuring.emit("Measuring this machine")

    def stop_measuring(self) -> None:
        """Stop the measurement; nothing is remembered of it."""
        if self._measure is not None:
            self._measure.cancel.request()

    def _show(self, seen: Seen) -> None:
        self.seen.emit(seen)
        self._tell_new([note for notes in seen.notes.values() for note in notes])
        fit = self._studio.fit

        def advise() -> Advised:
            machine = fit.machine()
            return Advised(machine, fit.measured(machine), fit.all(seen.entries))

        self._context.tasks.run(
            Lane.MACHINE,
            advise,
            on_done=self.advised.emit,
            on_error=lambda error: self.unknown.emit(str(error)),
        )

    def _added(self, entries: list[ShelfEntry]) -> None:
        self._say(", ".join(entry.title for entry in entries) + " added")
        if len(entries) == 1:
            [entry] = entries
            self._context.errors.tell(
                f"{entry.title} is on the shelf",
                entry.why or "Its sha256 is one that the studio knows.",
                mend=Mend("Use this model", lambda: self.use(entry)),
            )

    def _tell_new(self, notes: Sequence[DeviceNote]) -> None:
        """Say once, wherever the person is, that a GPU could not load the model and what was done instead."""
        new = [note for note in notes if note.at > self._since]
        if new:
            self._since = max(note.at for note in new)
            self._context.errors.tell(
                "The GPU could not load this model whole",
                " ".join(note.words for note in new),
                level="warn",
            )

    def _say(self, words: str) -> None:
        self._context.changes.status.emit(words)
