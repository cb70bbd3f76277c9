"""How fast a transfer is and how long it will take, told not too often."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable

from studio.core.progress import Progress

_WINDOW_S = 6.0
_TELL_EVERY_S = 0.2


class Pace:
    """Counts bytes towards ``total`` and tells ``on_progress``. ``done``: what was there before."""

    def __init__(self, what: str, done: int, total: int, on_progress: Callable[[Progress], None] | None) -> None:
        self._what, self._done, self._total, self._on_progress = what, done, total, on_progress
        self._seen: deque[tuple[float, int]] = deque([(time.monotonic(), done)])
        self._told = 0.0

    def at(self, done: int) -> None:
        """So many bytes are there now. Fewer than before means that some were given up."""
        now = time.monotonic()
        if done < self._done:
            self._seen.clear()
        self._done = done
        self._seen.append((now, done))
        while len(self._seen) > 2 and now - self._seen[0][0] > _WINDOW_S:
            self._seen.popleft()
        if now - self._told >= _TELL_EVERY_S or done == self._total:
            self._told = now
            self.tell()

    def tell(self, message: str = "") -> None:
        """Say how it stands, or say ``message`` about it."""
        if self._on_progress is None:
            return
        (since, first), (now, last) = self._seen[0], self._seen[-1]
        speed = (last - first) / (now - since) if now > since else 0.0
        left = (self._total - self._done) / speed if speed > 0 else None
        words = message or f"Downloading {self._what}" + (f" · {_per_second(speed)}" if speed > 0 else "")
        if left is not None and not message:
            words += f" · {duration(left)} left"
        self._on_progress(Progress(self._done, self._total, words, left))


def _per_second(speed: float) -> str:
    return f"{speed / 1e6:.0f} MB/s" if speed >= 1e7 else f"{speed / 1e6:.1f} MB/s" if speed >= 1e5 else "slow"


def duration(seconds: float) -> str:
    """Seconds as people say it: ``40 s``, ``9 min``, ``2 h 5 min``."""
    if seconds < 60:
        return f"{max(1, round(seconds))} s"
    minutes = round(seconds / 60)
    return f"{minutes} min" if minutes < 60 else f"{minutes // 60} h {minutes % 60} min"
