"""When Python's collector of cyclic garbage runs, so that the window never waits for it.

A full collection looks at every object that Python knows, with all threads stopped: with a hundred thousand examples
at hand that is most of a second. So full collections are not left to chance. Young objects are collected as ever, in
parts too small to notice; what has lived for a while is set aside, to be looked at again when the window is minimised.
Garbage without cycles, which is nearly all, is freed at once as always.
"""

from __future__ import annotations

import gc

from PySide6.QtCore import QEvent, QObject, QTimer
from PySide6.QtWidgets import QWidget

_YOUNG = (1_000, 5)
_NEVER = 2**30
_EVERY_MS = 1_000
_FEW = 6
"""Collections of the middle generation since the last full one: so few leave too little to notice."""


class Collector(QObject):
    """Looks after the collector while a window is open. Whoever shuts the window calls :meth:`stop`."""

    def __init__(self, window: QWidget) -> None:
        super().__init__(window)
        self._window = window
        self._before = gc.get_threshold()
        gc.freeze()
        gc.set_threshold(*_YOUNG, _NEVER)
        self._timer = QTimer(self)
        self._timer.setInterval(_EVERY_MS)
        self._timer.timeout.connect(self.tidy)
        self._timer.start()
        window.installEventFilter(self)

    def tidy(self) -> None:
        """Collect what little came since the last time, and set the rest aside; of much only the latter."""
        middle = gc.get_count()[2]
        if middle:
            if middle <= _FEW:
                gc.collect()
            gc.freeze()

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:  # noqa: D102  Qt's name
        if event.type() is QEvent.Type.WindowStateChange and self._window.isMinimized():
            gc.unfreeze()
            gc.collect()
            gc.freeze()
        return super().eventFilter(watched, event)

    def stop(self) -> None:
        """Leave the collector as it was found."""
        self._timer.stop()
        gc.set_threshold(*self._before)
        gc.unfreeze()
