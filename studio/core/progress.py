"""How far a job has come, and the way to stop it."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Progress:
    """``done`` of ``total`` steps (total 0 when unknown), and what is being done, in a few words.

    ``eta_s`` is the time that is left, in seconds, None when nobody knows.
    """

    done: int
    total: int
    message: str = ""
    eta_s: float | None = None


class Cancel:
    """A request to stop, set from any thread. Callbacks run once, in the thread that sets it."""

    def __init__(self) -> None:
        self._event = threading.Event()
        self._lock = threading.Lock()
        self._callbacks: list[Callable[[], None]] = []

    @property
    def requested(self) -> bool:
        """Whether somebody asked to stop."""
        return self._event.is_set()

    def request(self) -> None:
        """Ask to stop. Asking twice is asking once."""
        with self._lock:
            if self._event.is_set():
                return
            self._event.set()
            callbacks, self._callbacks = self._callbacks, []
        for callback in callbacks:
            callback()

    def on_request(self, callback: Callable[[], None]) -> None:
        """Call ``callback`` when a stop is asked for; at once when it already was."""
        with self._lock:
            if not self._event.is_set():
                self._callbacks.append(callback)
                return
        callback()


class Pause:
    """Holds a job between two of its steps, from any thread; what already runs ends first."""

    def __init__(self) -> None:
        self._go = threading.Event()
        self._go.set()

    @property
    def requested(self) -> bool:
        """Whether the job is to wait."""
        return not self._go.is_set()

    def request(self) -> None:
        """Let the job wait before its next step."""
        self._go.clear()

    def resume(self) -> None:
        """Let the job go on."""
        self._go.set()

    def wait(self, cancel: Cancel) -> None:
        """Wait until the job may go on or ``cancel`` is asked for."""
        if self._go.is_set():
            return
        cancel.on_request(self.resume)
        self._go.wait()
