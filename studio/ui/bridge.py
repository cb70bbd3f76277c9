"""From the services' callbacks, which come in any thread and as often as they like, to signals in the window's thread.

Text that arrives between two frames is joined, so that fast streaming never floods the event loop.
"""

from __future__ import annotations

import threading

from PySide6.QtCore import QObject, Qt, QTimer, Signal, Slot

from studio.services.judge import Answering, JudgeEvent, Loading, Started, Thinking

FRAME_MS = 33


class JudgeBridge(QObject):
    """Takes the events of one judgement at a time. :meth:`push` may be called from any thread."""

    loading = Signal(int, int, str)
    started = Signal(int, int)
    thinking = Signal(str)
    answering = Signal(str)
    _woken = Signal()

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._lock = threading.Lock()
        self._waiting: list[JudgeEvent] = []
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.setInterval(FRAME_MS)
        self._timer.timeout.connect(self.flush)
        self._woken.connect(self._wake, Qt.ConnectionType.QueuedConnection)

    def push(self, event: JudgeEvent) -> None:
        """Take one event; it is told on at the next frame."""
        with self._lock:
            first = not self._waiting
            self._waiting.append(event)
        if first:
            self._woken.emit()

    def forget(self) -> None:
        """Drop what has not been told yet."""
        with self._lock:
            self._waiting.clear()

    @Slot()
    def flush(self) -> None:
        """Tell everything that waits, in order, neighbouring pieces of text joined."""
        with self._lock:
            events, self._waiting = self._waiting, []
        thinking: list[str] = []
        answering: list[str] = []
        for event in events:
            if isinstance(event, Thinking):
                thinking.append(event.text)
            elif isinstance(event, Answering):
                answering.append(event.text)
            elif isinstance(event, Loading):
                self.loading.emit(event.progress.done, event.progress.total, event.progress.message)
            elif isinstance(event, Started):
                self.started.emit(event.prompt_tokens, event.cached_tokens)
        if thinking:
            self.thinking.emit("".join(thinking))
        if answering:
            self.answering.emit("".join(answering))

    @Slot()
    def _wake(self) -> None:
        if not self._timer.isActive():
            self._timer.start()
