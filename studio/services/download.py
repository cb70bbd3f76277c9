"""Downloading a model of the catalogue: what will be asked of whom, and doing it while the shield is open for that.

The only code that opens the network shield for the Hub. It is called upon the explicit act of a person who was shown
the :class:`DownloadPlan`.
"""

from __future__ import annotations

import functools
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from studio.core.errors import NotFoundError
from studio.core.progress import Cancel, Progress
from studio.hub import servers
from studio.hub.cache_layout import hand_over
from studio.hub.catalogue import KnownModel
from studio.hub.discovery import Found, hub_cache
from studio.hub.failures import DownloadError, PausedError
from studio.hub.partial import Promise, Slot
from studio.hub.transfer import SPARE, Asker, Patience, Stop, fetch
from studio.services import shield
from studio.services.shelf import Shelf, ShelfEntry, State, on_disk

if TYPE_CHECKING:
    from studio.hub.online import Hub

__all__ = ["DownloadPlan", "Patience", "download", "plan"]

# The library keeps one HTTP session for the process: one download has it at a time.
_session = threading.Lock()


@dataclass(frozen=True, slots=True)
class DownloadPlan:
    """What a download would do, to be shown before it is agreed to.

    ``servers``: all that would be connected to, as ``name:port``, proxies included. ``to_fetch`` in bytes, None when
    only the Hub knows; ``free`` bytes on the disk, of which ``spare`` should stay. ``already``: files of other
    programs on this disk of the same size as its first file, which may be it: adopting one needs no download.
    ``hub_cache``: the cache of the Hub's library, where there is one, into which the finished file may be handed.
    """

    id: str
    title: str
    source: str
    servers: tuple[str, ...]
    folder: Path
    to_fetch: int | None
    free: int
    already: tuple[Found, ...]
    hub_cache: Path | None = None
    spare: int = SPARE

    @property
    def enough(self) -> bool | None:
        """Whether there is room for it."""
        return None if self.to_fetch is None else self.to_fetch + self.spare <= self.free


def plan(shelf: Shelf, model_id: str, *, endpoint: str | None = None, storage: Sequence[str] = ()) -> DownloadPlan:
    """What :func:`download` would do. Reaches nothing. Raises NotFoundError or InputError."""
    known = _known(shelf, model_id)
    place = servers.endpoint(endpoint, storage)
    entry, cache = shelf.get(known.id), hub_cache()
    return DownloadPlan(
        id=known.id,
        title=f"{known.title}, {known.quant}",
        source=f"{place.url}/{known.repo}",
        servers=tuple(sorted(_shown(name, port) for name, port in servers.reached(place))),
        folder=shelf.slots(known)[0].target.parent,
        to_fetch=None if entry.size is None else entry.size - entry.done,
        free=shelf.free_bytes(),
        already=tuple(found for found in shelf.discover() if found.size == known.files[0].size),
        hub_cache=cache if cache.is_dir() else None,
    )


def download(
    shelf: Shelf,
    model_id: str,
    *,
    endpoint: str | None = None,
    storage: Sequence[str] = (),
    token: str | None = None,
    into_hub_cache: bool = False,
    on_progress: Callable[[Progress], None] | None = None,
    cancel: Cancel | None = None,
    patience: Patience | None = None,
    timeout_s: float = 30.0,
) -> ShelfEntry:
    """Fetch a model, or go on with it, and return its entry when its sha256 was right.

    ``endpoint`` and ``storage`` name a mirror; ``token`` is sent only when given. ``into_hub_cache``: keep
    the finished file in the cache of the Hub's library, for other programs too. ``cancel`` pauses: what was fetched
    is kept for the next time. Progress is in bytes of all its files. Raises PausedError, NoRoomError,
    QuarantinedError or another DownloadError; NotFoundError, InputError.
    """
    known = _known(shelf, model_id)
    place = servers.endpoint(endpoint, storage)
    stop, patience = Stop(cancel), patience or Patience()
    slots = shelf.slots(known)
    with shelf.busy(known.id, State.PARTIAL):
        _wait_for_turn(stop)
        try:
            # Slow to import, and only a download needs it.
            from studio.hub.online import Hub

            with (
                shield.allow(servers.reached(place), f"Download of {known.title}"),
                Hub(place, token, timeout_s) as hub,
            ):
                promises = _promises(hub, known, slots, Asker(stop, patience, on_progress))
                fetch(
                    list(zip(slots, promises, strict=True)),
                    hub.open,
                    on_progress=on_progress,
                    cancel=cancel,
                    patience=patience,
                )
        finally:
            _session.release()
        pairs = list(zip(slots, promises, strict=True))
        with on_disk(known.title):
            places = [hand_over(*pair) if into_hub_cache else pair[0].target for pair in pairs]
    files = [(place, promise.sha256) for place, promise in zip(places, promises, strict=True)]
    shelf.inventory.remember(files, f"{known.title}, {known.quant}")
    return shelf.get(known.id)


def _wait_for_turn(stop: Stop) -> None:
    while not _session.acquire(timeout=0.1):
        if stop.requested:
            raise PausedError("The download was stopped before its turn came.", hint="Start it again at any time.")


def _promises(hub: Hub, known: KnownModel, slots: Sequence[Slot], ask: Asker) -> list[Promise]:
    """What every file must become, at one commit: that of an earlier start where it is still to be had."""
    offered = None
    kept = {promise.commit for slot in slots if (promise := slot.promise() or slot.origin()) is not None}
    if len(kept) == 1:
        offered = ask(functools.partial(_at, hub, known.repo, *kept))
    if offered is None:
        offered = ask(functools.partial(hub.commit, known.repo))
    promises = []
    for file in known.files:
        promise = next((p for p in offered.values() if p.sha256 == file.sha256), None)
        if promise is None and file.name in offered and file.sha256 is None:
            promise = offered[file.name]
        if promise is None:
            raise _not_offered(known, file.name, file.sha256, offered.get(file.name))
        promises.append(promise)
    for promise in promises:
        ask(functools.partial(hub.confirm, promise))
    return promises


def _at(hub: Hub, repo: str, commit: str) -> dict[str, Promise] | None:
    """What is offered at an earlier commit; None when the Hub has that commit no more."""
    try:
        return hub.commit(repo, commit)
    except DownloadError as error:
        if error.again:
            raise
        return None


def _not_offered(known: KnownModel, name: str, sha256: str | None, other: Promise | None) -> DownloadError:
    if other is None:
        return DownloadError(
            f"{known.repo} does not offer {name} now.", hint="Take another model of the list, or import a file."
        )
    return DownloadError(
        f"{known.repo} now offers another file as {name}: its sha256 is {other.sha256}, and the one that the studio "
        f"knows is {sha256}. Nothing was fetched.",
        hint="Take another model of the list. To use the new file all the same, fetch it yourself and import it.",
    )


def _known(shelf: Shelf, model_id: str) -> KnownModel:
    known = shelf.catalogue.get(model_id)
    if known is None:
        raise NotFoundError(
            f"There is no model {model_id!r} to download.", hint="`moderation-studio models list` shows their ids."
        )
    return known


def _shown(name: str, port: int) -> str:
    return f"{'*' if name.startswith('.') else ''}{name}:{port}"
