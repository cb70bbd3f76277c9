"""Several servers with the same model: which is asked next, how many requests at a time, and which rests."""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Callable, Container, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from studio.core.progress import Cancel
from studio.engine.remote.dialect import Served
from studio.engine.remote.http import Server, Stopped

_LOOK_AGAIN_S = 0.2


@dataclass(frozen=True, slots=True)
class Retry:
    """How often a request is tried at most, and seconds to wait before the second try, doubled for each further one."""

    tries: int = 4
    first_s: float = 0.5
    longest_s: float = 20.0

    def wait_s(self, failures: int, chance: Callable[[], float] = random.random) -> float:
        """Seconds to rest after so many failures in a row; half of it by chance, so that not all come back at once."""
        whole = min(self.first_s * 2.0 ** max(failures - 1, 0), self.longest_s)
        return float(whole / 2 + whole / 2 * chance())


@dataclass(slots=True, eq=False)
class Endpoint:
    """One server and how it stands. ``served`` is None until it was asked what it is."""

    server: Server
    served: Served | None = None
    in_flight: int = 0
    failures: int = 0
    rests_until: float = 0.0

    @property
    def width(self) -> int:
        """Requests that it gets at a time."""
        return self.served.width if self.served is not None else 1


@dataclass(slots=True, eq=False)
class Pool:
    """The servers. Safe to use from several threads."""

    endpoints: list[Endpoint]
    retry: Retry = field(default_factory=Retry)
    _changed: threading.Condition = field(default_factory=threading.Condition)

    @contextmanager
    def turn(self, cancel: Cancel, avoid: Container[Endpoint] = ()) -> Iterator[Endpoint]:
        """The server with most room, waited for when all are full or resting. Raises Stopped upon a cancel.

        Those to ``avoid`` have failed this request already: they are asked again only when there are no others.
        """
        with self._changed:
            while (chosen := self._free(avoid)) is None:
                if cancel.requested:
                    raise Stopped
                self._changed.wait(_LOOK_AGAIN_S)
            if cancel.requested:
                raise Stopped
            chosen.in_flight += 1
        try:
            yield chosen
        finally:
            with self._changed:
                chosen.in_flight -= 1
                self._changed.notify_all()

    def failed(self, endpoint: Endpoint) -> None:
        """Let a server rest for a while; the others go on."""
        with self._changed:
            endpoint.failures += 1
            endpoint.rests_until = time.monotonic() + self.retry.wait_s(endpoint.failures)

    def worked(self, endpoint: Endpoint) -> None:
        """A server answered: it is as good as any."""
        with self._changed:
            endpoint.failures, endpoint.rests_until = 0, 0.0

    @property
    def busy(self) -> bool:
        """Whether any request is on its way."""
        return any(endpoint.in_flight for endpoint in self.endpoints)

    def _free(self, avoid: Container[Endpoint]) -> Endpoint | None:
        now = time.monotonic()
        wanted = [e for e in self.endpoints if e not in avoid] or self.endpoints
        ready = [e for e in wanted if e.rests_until <= now and e.in_flight < e.width]
        return min(ready, key=lambda e: (e.in_flight / e.width, e.failures), default=None)
