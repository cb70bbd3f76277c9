"""The model shelf: which models can be had, which are here and right, and getting, checking and giving them up.

A model of the catalogue is told by the sha256 of its files, never by a name. Nothing is listed as ready before its
sha256 was right. Files of the user and of other programs stay where they are; only what was downloaded here is deleted.
"""

from __future__ import annotations

import builtins
import contextlib
import hashlib
import os
import shutil
import threading
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

from studio import paths
from studio.core.errors import InputError, ModelFileError, NotFoundError
from studio.core.progress import Cancel, Progress
from studio.hub import catalogue, discovery, gguf_facts
from studio.hub.catalogue import Catalogue, KnownModel
from studio.hub.discovery import Found
from studio.hub.failures import DownloadError, NoRoomError, PausedError, QuarantinedError
from studio.hub.gguf_facts import ModelFacts, Share
from studio.hub.inventory import Inventory, ModelEntry, file_sha256
from studio.hub.kinds import Assessment, Kind
from studio.hub.pace import duration
from studio.hub.partial import Slot
from studio.services.shelf_entry import ShelfEntry, State

__all__ = [
    "Assessment",
    "DownloadError",
    "Found",
    "Kind",
    "ModelFacts",
    "NoRoomError",
    "PausedError",
    "QuarantinedError",
    "Share",
    "Shelf",
    "ShelfEntry",
    "State",
    "duration",
]

Report = Callable[[Progress], None]


class Shelf:
    """The models of this machine and of the catalogue. Everything may be called from any thread."""

    def __init__(
        self, inventory: Inventory | None = None, *, folder: Path | None = None, known: Catalogue | None = None
    ) -> None:
        self.inventory = inventory or Inventory(folder)
        self.folder = folder or paths.models_dir()
        self.catalogue = known or catalogue.load()
        self._lock = threading.Lock()
        self._busy: dict[str, State] = {}

    def list(self) -> list[ShelfEntry]:
        """Every model: the demo model, those of the catalogue, and the user's own. Raises ModelFileError."""
        demo, *added = self.inventory.list()
        entries = [_demo(demo)]
        for known in self.catalogue.models:
            slots = self.slots(known)
            ours = next((entry for entry in added if entry.path == slots[0].target), None)
            theirs = next((entry for entry in added if self._recognised(entry) is known), None)
            added = [entry for entry in added if entry is not ours and (entry is not theirs or ours is None)]
            if ours is None and theirs is not None and all(slot.have == slot.unchecked == 0 for slot in slots):
                added.remove(theirs)
                entries.append(self._own(theirs, known))
            else:
                entries.append(self._of_catalogue(known, slots))
        entries += [self._own(entry, None) for entry in added]
        with self._lock:
            busy = dict(self._busy)
        return [replace(e, busy=True, state=busy[e.id]) if e.id in busy else e for e in entries]

    def get(self, entry_id: str) -> ShelfEntry:
        """The entry of that id, or of that first file. Raises NotFoundError or ModelFileError."""
        for entry in self.list():
            if entry_id == entry.id or (entry.files and entry_id == str(entry.files[0])):
                return entry
        raise NotFoundError(
            f"There is no model {entry_id!r} on the shelf.", hint="`moderation-studio models list` shows their ids."
        )

    def inspect(self, path: Path) -> ModelFacts:
        """What a model file is, from its head alone. Raises GgufError."""
        return gguf_facts.read_facts(path.expanduser())

    def import_path(
        self,
        path: Path,
        *,
        name: str | None = None,
        on_progress: Report | None = None,
        cancel: Cancel | None = None,
        on_refused: Callable[[Path, ModelFileError], None] | None = None,
    ) -> builtins.list[ShelfEntry]:
        """Put a file, or the models of a folder, on the shelf where they lie, by their sha256.

        What the catalogue does not know is taken as unknown, on the user's responsibility; what the studio cannot judge
        with is refused. Of a folder the others are taken all the same, and ``on_refused`` is told why those are not.
        Raises ModelFileError or InputError when there is nothing to take.
        """
        path = path.expanduser()
        imported = []
        refused: builtins.list[tuple[Path, ModelFileError]] = []
        for file in discovery.models_in(path, cancel) if path.is_dir() else [path]:
            try:
                facts = self._usable(file)
            except ModelFileError as error:
                refused.append((file, error))
            else:
                imported.append(self._remember(facts, name, on_progress, cancel))
        if refused and not imported:
            raise refused[0][1]
        for file, why in refused:
            if on_refused is not None:
                on_refused(file, why)
        return imported

    def _usable(self, file: Path) -> ModelFacts:
        """The facts of a file that the studio can judge with. Raises ModelFileError."""
        self.inventory.find(file)
        facts = self.inspect(file)
        if not facts.assessment.usable:
            raise ModelFileError(
                f"{file} cannot be used here. {facts.assessment.words}",
                hint="Look for a GGUF of gpt-oss-safeguard; `models list` shows some.",
            )
        return facts

    def discover(self) -> builtins.list[Found]:
        """Model files that are not on the shelf: of LM Studio, Ollama, the Hub's library, or put into our folder."""
        known = {entry.path.resolve() for entry in self.inventory.list()}
        known.update(slot.target.resolve() for model in self.catalogue.models for slot in self.slots(model))
        return [found for found in discovery.discover(self.folder) if found.path.resolve() not in known]

    def adopt(self, found: Found, *, on_progress: Report | None = None, cancel: Cancel | None = None) -> ShelfEntry:
        """Use a discovered file where it lies, without copying it. Raises ModelFileError."""
        [entry] = self.import_path(found.path, name=found.name, on_progress=on_progress, cancel=cancel)
        return entry

    def verify(self, entry_id: str, *, on_progress: Report | None = None, cancel: Cancel | None = None) -> ShelfEntry:
        """Read every byte of a model again and compare its sha256.

        A downloaded file that is wrong is set aside; another's file that is wrong stays and leaves the shelf. Raises
        QuarantinedError then, ModelFileError when it cannot be read or the check was stopped, NotFoundError.
        """
        entry = self.get(entry_id)
        if entry.model is None:
            raise ModelFileError(f"{entry.title} is not here to be checked.", hint="Download or import it first.")
        if not entry.sha256:
            raise ModelFileError(
                f"There is no sha256 to compare {entry.title} with. {entry.why}", hint="Import its file to have one."
            )
        with self.busy(entry.id, State.VERIFYING), on_disk(entry.title):
            sizes = [file.stat().st_size for file in entry.files]
            for number, (file, wanted) in enumerate(zip(entry.files, entry.sha256, strict=True)):
                told = _shifted(on_progress, sum(sizes[:number]), sum(sizes))
                digest = file_sha256(file, on_progress=told, cancel=cancel)
                if digest != wanted:
                    raise self._distrust(entry, file, digest, wanted)
        if entry.id != "demo":
            self.inventory.remember(list(zip(entry.files, entry.sha256, strict=True)), entry.model.name)
        return self.get(entry.id)

    def remove(self, entry_id: str) -> None:
        """Give a model up: what was downloaded here is deleted, finished or not; any other file stays, forgotten.

        The caller asks first. Raises NotFoundError, InputError for the demo model and for what is busy.
        """
        entry = self.get(entry_id)
        if entry.busy:
            raise InputError(f"{entry.title} is being fetched or checked.", hint="Stop that first.")
        if entry.id == "demo":
            raise InputError("The demo model belongs to the studio.", hint="Choose another model to judge with.")
        if not entry.ours or entry.model is not None:
            with contextlib.suppress(NotFoundError):
                self.inventory.remove(entry.files[0])
        if entry.ours:
            with on_disk(entry.title):
                for file in entry.files:
                    Slot(file).delete()

    def slots(self, known: KnownModel) -> tuple[Slot, ...]:
        """Where the files of a model of the catalogue are, or will be."""
        folder = self.folder / known.repo.replace("/", "--")
        return tuple(Slot(folder / file.name) for file in known.files)

    @contextlib.contextmanager
    def busy(self, entry_id: str, state: State) -> Iterator[None]:
        """Show the entry as busy while the block lasts. Raises InputError when it is already."""
        with self._lock:
            if entry_id in self._busy:
                raise InputError("This model is being fetched or checked already.", hint="Wait, or stop that first.")
            self._busy[entry_id] = state
        try:
            yield
        finally:
            with self._lock:
                del self._busy[entry_id]

    def free_bytes(self) -> int:
        """Room on the disk that downloads go to; 0 while that disk is not there."""
        try:
            return shutil.disk_usage(self.folder).free
        except OSError:
            return 0

    @property
    def at_work(self) -> bool:
        """Whether any model is being fetched or checked."""
        with self._lock:
            return bool(self._busy)

    def _recognised(self, entry: ModelEntry) -> KnownModel | None:
        return self.catalogue.by_hashes(_hashes(entry)) if entry.sha256 else None

    def _of_catalogue(self, known: KnownModel, slots: tuple[Slot, ...]) -> ShelfEntry:
        """How a model of the catalogue stands in our own folder."""
        origins = [slot.origin() for slot in slots]
        promises = [origin or slot.promise() for origin, slot in zip(origins, slots, strict=True)]
        done = sum(
            origin.size if origin else slot.have or slot.unchecked for origin, slot in zip(origins, slots, strict=True)
        )
        reasons = [why for slot in slots if (why := slot.why_quarantined()) is not None]
        changed = "Its file changed since it was checked. Start the download: it checks the file first."
        if not any(slot.unchecked for slot in slots):
            changed = ""
        model, unreadable = None, ""
        if all(origins):
            try:
                model = self.inventory.find(slots[0].target)
            except ModelFileError as error:
                unreadable = error.message
        if model is not None:
            state = State.READY
        elif unreadable:
            state = State.MISSING
        elif reasons:
            state = State.QUARANTINED
        else:
            state = State.PARTIAL if done else State.GET
        sizes = [p.size if p else file.size for p, file in zip(promises, known.files, strict=True)]
        hashes = [p.sha256 if p else file.sha256 for p, file in zip(promises, known.files, strict=True)]
        return ShelfEntry(
            id=known.id,
            title=known.title,
            quant=known.quant,
            summary=known.summary,
            licence=known.licence,
            repo=known.repo,
            state=state,
            size=None if None in sizes else sum(size or 0 for size in sizes),
            done=done,
            files=tuple(slot.target for slot in slots),
            sha256=tuple(digest for digest in hashes if digest is not None),
            recognised=True,
            ours=True,
            why="" if model is not None else unreadable or " ".join(reasons) or changed,
            model=model,
            memory=known.memory,
        )

    def _own(self, entry: ModelEntry, known: KnownModel | None) -> ShelfEntry:
        """A file that the user or another program put there."""
        state, why = State.READY, ""
        if not entry.present:
            state, why = State.MISSING, "Its file is not there now. Is a disk not connected?"
        elif entry.sha256 is None:
            why = "Its file changed since it was added. Have it checked by importing it again."
        elif known is None:
            why = "The studio does not know this sha256: whether it is gpt-oss-safeguard is your responsibility."
        return ShelfEntry(
            id=known.id if known else f"own-{hashlib.sha256(os.fsencode(entry.path)).hexdigest()[:10]}",
            title=known.title if known else entry.name,
            quant=known.quant if known else "",
            summary=known.summary if known else "",
            licence=known.licence if known else "",
            repo=known.repo if known else "",
            state=state,
            size=entry.size + sum(part.size for part in entry.parts),
            done=0,
            files=(entry.path, *(part.path for part in entry.parts)),
            sha256=_hashes(entry) if entry.sha256 else (),
            recognised=known is not None,
            ours=False,
            why=why,
            model=entry if state is State.READY else None,
            memory=known.memory if known else {},
        )

    def _remember(
        self, facts: ModelFacts, name: str | None, on_progress: Report | None, cancel: Cancel | None
    ) -> ShelfEntry:
        hashes, done = [], 0
        for file in facts.files:
            digest = file_sha256(file, on_progress=_shifted(on_progress, done, facts.size_bytes), cancel=cancel)
            hashes.append((file, digest))
            done += file.stat().st_size
        known = self.catalogue.by_hashes(digest for _file, digest in hashes)
        entry = self.inventory.remember(hashes, f"{known.title}, {known.quant}" if known else name)
        return self.get(str(entry.path))

    def _distrust(self, entry: ShelfEntry, file: Path, got: str, wanted: str) -> QuarantinedError:
        """Take a wrong file out of use; returns the error that tells it."""
        why = f"{file.name} has the sha256 {got} where {wanted} was found before: its content changed on the disk."
        if entry.id == "demo":
            return QuarantinedError(why, hint="Install the studio again.")
        with contextlib.suppress(NotFoundError):
            self.inventory.remove(entry.files[0])
        if entry.ours:
            Slot(file).quarantine(why, file)
            return QuarantinedError(why, hint="It was set aside and is not used. Download it again; check the disk.")
        return QuarantinedError(
            why, hint="It was taken off the list and left where it is. Import it again if you changed it yourself."
        )


@contextlib.contextmanager
def on_disk(title: str) -> Iterator[None]:
    """Turn an error of the disk into words about the model."""
    try:
        yield
    except OSError as error:
        raise ModelFileError(
            f"The files of {title} cannot be reached or changed: {error.filename or ''} {error.strerror or error}.",
            hint="Check that their disk is connected and who may change them.",
        ) from error


def _demo(entry: ModelEntry) -> ShelfEntry:
    return ShelfEntry(
        id="demo",
        title=entry.name,
        quant="",
        summary="Made to show the studio, not for moderation.",
        licence="Apache-2.0",
        repo="",
        state=State.READY,
        size=entry.size,
        done=0,
        files=(entry.path,),
        sha256=(),
        recognised=True,
        ours=False,
        model=entry,
    )


def _hashes(entry: ModelEntry) -> tuple[str, ...]:
    return (entry.sha256 or "", *(part.sha256 for part in entry.parts))


def _shifted(on_progress: Report | None, before: int, total: int) -> Report | None:
    """Progress of one file as progress of all."""
    if on_progress is None:
        return None
    told = on_progress
    return lambda progress: told(Progress(before + progress.done, total, progress.message))
