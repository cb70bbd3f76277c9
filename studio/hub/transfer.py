"""Fetches the files of a model: room first, then the bytes, through every break, then their sha256.

A file gets its name only when its sha256 is the promised one. Whatever else happens, what was fetched stays as a
partial file, and the next start goes on behind it.
"""

from __future__ import annotations

import contextlib
import errno
import itertools
import os
import shutil
import threading
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol, TypeVar

from studio.core.errors import ModelFileError
from studio.core.progress import Cancel, Progress
from studio.hub.failures import DownloadError, NoRoomError, PausedError, QuarantinedError
from studio.hub.inventory import file_sha256, looked_at
from studio.hub.lock import LockedError, only_one
from studio.hub.pace import Pace
from studio.hub.partial import Promise, Slot

SPARE = 500_000_000
"""Bytes that stay free on the disk: a full disk stops the workspace too."""


FIRST_TRIES = 4
"""To be told what there is, before a byte is fetched."""


@dataclass(frozen=True, slots=True)
class Patience:
    """How a broken connection is met: tries in a row without a new byte, and the waits between them in seconds."""

    tries: int = 8
    first_wait_s: float = 1.0
    longest_wait_s: float = 60.0


class Answer(Protocol):
    """The bytes of a file from ``start`` on, as they come; :meth:`abort` ends them from another thread."""

    start: int

    def pieces(self) -> Iterator[bytes]:
        """The bytes as they come."""

    def abort(self) -> None:
        """End the connection."""


Open = Callable[[Promise, int], contextlib.AbstractContextManager[Answer]]
"""Opens a file at its source from a byte on. Raises DownloadError, also while it is read."""


class Stop:
    """A request to stop that also wakes who waits: for time to pass, or for bytes."""

    def __init__(self, cancel: Cancel | None) -> None:
        self._event = threading.Event()
        self._lock = threading.Lock()
        self._answer: Answer | None = None
        if cancel is not None:
            cancel.on_request(self._stop)

    def _stop(self) -> None:
        self._event.set()
        with self._lock:
            if self._answer is not None:
                self._answer.abort()

    @property
    def requested(self) -> bool:
        """Whether somebody asked to stop."""
        return self._event.is_set()

    def wait(self, seconds: float) -> None:
        """Wait, unless a stop is asked for."""
        self._event.wait(seconds)

    @contextlib.contextmanager
    def watching(self, answer: Answer) -> Iterator[None]:
        """While the block lasts a stop ends ``answer``."""
        with self._lock:
            self._answer = answer
            if self._event.is_set():
                answer.abort()
        try:
            yield
        finally:
            with self._lock:
                self._answer = None


T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Asker:
    """Asks for what there is before a byte is fetched, a few times when that may help.

    A person waits: soon there is an answer, or word that there is none.
    """

    stop: Stop
    patience: Patience
    on_progress: Callable[[Progress], None] | None = None

    def __call__(self, call: Callable[[], T]) -> T:
        """The result of ``call``. Raises the DownloadError that remains, or PausedError."""
        wait, tries = self.patience.first_wait_s, min(self.patience.tries, FIRST_TRIES)
        for attempt in itertools.count(1):
            try:
                return call()
            except DownloadError as error:
                if self.stop.requested:
                    raise PausedError("The download was stopped.", hint="Start it again at any time.") from error
                if not error.again or attempt >= tries:
                    raise
                pause = max(wait, error.wait_s)
                if self.on_progress is not None:
                    self.on_progress(Progress(0, 0, f"{error.message} Trying again in {pause:.0f} s"))
                self.stop.wait(pause)
                wait = min(wait * 2, self.patience.longest_wait_s)
        raise AssertionError("counting has no end")


def check_room(folder: Path, needed: int) -> None:
    """Raise NoRoomError unless ``needed`` bytes fit beside :data:`SPARE` on the disk of ``folder``."""
    free = shutil.disk_usage(folder).free
    if needed + SPARE > free:
        raise NoRoomError(
            f"{needed / 1e9:.1f} GB are still to be fetched and {SPARE / 1e9:.1f} GB should stay free, "
            f"but the disk of {folder} has {free / 1e9:.1f} GB.",
            needed=needed + SPARE,
            free=free,
            hint=f"Make {(needed + SPARE - free) / 1e9:.1f} GB free and start it again; what was fetched is kept.",
        )


def fetch(
    jobs: Sequence[tuple[Slot, Promise]],
    open_at: Open,
    *,
    on_progress: Callable[[Progress], None] | None = None,
    cancel: Cancel | None = None,
    patience: Patience | None = None,
) -> None:
    """Fetch all files of a model, one after the other; progress counts their bytes together.

    Raises PausedError, NoRoomError, QuarantinedError or another DownloadError.
    """
    with _disk(jobs[0][0].target):
        _fetch(jobs, open_at, on_progress, cancel, Stop(cancel), patience or Patience())


def _fetch(
    jobs: Sequence[tuple[Slot, Promise]],
    open_at: Open,
    on_progress: Callable[[Progress], None] | None,
    cancel: Cancel | None,
    stop: Stop,
    patience: Patience,
) -> None:
    for slot, promise in jobs:
        if slot.unchecked == promise.size and _digest(slot.target, on_progress, cancel) == promise.sha256:
            slot.approve(promise)
    todo = [(slot, promise) for slot, promise in jobs if slot.origin() is None]
    with contextlib.ExitStack() as held:
        for slot, _promise in todo:
            slot.target.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            held.enter_context(_alone(slot))
        have = {slot: slot.begin(promise) for slot, promise in todo}
        check_room(jobs[0][0].target.parent, sum(promise.size - have[slot] for slot, promise in todo))
        total = sum(promise.size for _slot, promise in jobs)
        done = total - sum(promise.size for _slot, promise in todo)
        for slot, promise in todo:
            pace = Pace(slot.target.name, done + have[slot], total, on_progress)
            _fetch_one(slot, promise, open_at, pace, done, stop, patience)
            _verify(slot, promise, on_progress, cancel)
            done += promise.size


@contextlib.contextmanager
def _alone(slot: Slot) -> Iterator[None]:
    try:
        with only_one(slot.lock):
            yield
    except LockedError as error:
        raise DownloadError(
            f"{slot.target.name} is being downloaded by another window or command.",
            hint="Wait until that is done, or pause it there.",
        ) from error


def _fetch_one(
    slot: Slot, promise: Promise, open_at: Open, pace: Pace, before: int, stop: Stop, patience: Patience
) -> None:
    """Bring the partial file to its full length, through breaks, as long as bytes keep coming in."""
    failures, wait = 0, patience.first_wait_s
    while (have := slot.have) < promise.size:
        pace.at(before + have)
        try:
            if stop.requested:
                raise _paused(slot, have, promise)
            _stream(slot, promise, open_at, pace, before, stop)
            error = DownloadError(f"The connection for {promise.name} ended too early.", again=True)
        except DownloadError as failed:
            if stop.requested:
                raise _paused(slot, slot.have, promise) from failed
            if not failed.again:
                raise
            error = failed
        if slot.have > have:
            failures, wait = 0, patience.first_wait_s
            continue
        failures += 1
        if failures >= patience.tries:
            raise error
        pause = max(wait, error.wait_s)
        pace.tell(f"{error.message} Trying again in {pause:.0f} s")
        stop.wait(pause)
        wait = min(wait * 2, patience.longest_wait_s)
    pace.at(before + promise.size)


def _stream(slot: Slot, promise: Promise, open_at: Open, pace: Pace, before: int, stop: Stop) -> None:
    """One connection: append what comes to the partial file, never more than was promised."""
    have = slot.have
    with open_at(promise, have) as answer, stop.watching(answer), _disk(slot.part), slot.part.open("ab") as file:
        if answer.start < have:
            # The server sends the whole file again.
            file.truncate(answer.start)
            have = answer.start
        try:
            for piece in answer.pieces():
                piece = piece[: promise.size - have]
                file.write(piece)
                have += len(piece)
                pace.at(before + have)
                if stop.requested or have >= promise.size:
                    return
        finally:
            file.flush()
            os.fsync(file.fileno())


@contextlib.contextmanager
def _disk(file: Path) -> Iterator[None]:
    """Tell the errors of the disk apart from those of the connection, which are told already."""
    try:
        yield
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            raise NoRoomError(
                f"The disk of {file.parent} became full while {file.name} was fetched.",
                needed=SPARE,
                free=0,
                hint="Make room and start it again; what was fetched is kept.",
            ) from error
        raise DownloadError(
            f"{error.filename or file} could not be written: {error.strerror or error}.",
            hint="Check the disk and its permissions.",
        ) from error


def _paused(slot: Slot, have: int, promise: Promise) -> PausedError:
    unit, name = (1e9, "GB") if promise.size >= 1e9 else (1e6, "MB")
    return PausedError(
        f"{slot.target.name} stopped at {have / promise.size:.0%}, "
        f"{have / unit:.1f} of {promise.size / unit:.1f} {name}.",
        hint="What was fetched is kept. Start the download again to go on from there.",
    )


def _verify(
    slot: Slot, promise: Promise, on_progress: Callable[[Progress], None] | None, cancel: Cancel | None
) -> None:
    """Give the file its name if its sha256 is right; else set it aside and say so."""
    digest = _digest(slot.part, on_progress, cancel)
    if digest == promise.sha256:
        why = _no_model(slot, promise)
        if not why:
            slot.finish(promise)
            return
    else:
        why = (
            f"{slot.target.name} came with {promise.size:,} bytes from {promise.endpoint}, and their sha256 is "
            f"{digest} where {promise.sha256} was promised. The bytes were damaged or exchanged on the way."
        )
    slot.quarantine(why, slot.part)
    raise QuarantinedError(
        why, hint=f"It was set aside as {slot.quarantined.name} and is not used. Download it again, or from elsewhere."
    )


def _no_model(slot: Slot, promise: Promise) -> str:
    """Why bytes that are the promised ones are no model all the same; empty when they are one."""
    try:
        looked_at(slot.part)
    except ModelFileError as error:
        said = error.message.replace(str(slot.part), "it")
        return f"{slot.target.name} came as {promise.endpoint} promised it, by its sha256 too, but {said}"
    return ""


def _digest(file: Path, on_progress: Callable[[Progress], None] | None, cancel: Cancel | None) -> str:
    try:
        return file_sha256(file, on_progress=on_progress, cancel=cancel)
    except ModelFileError as error:
        if cancel is not None and cancel.requested:
            raise PausedError(
                f"The check of {file.name} was stopped.", hint="Start the download again to have it checked."
            ) from error
        raise
