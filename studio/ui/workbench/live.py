"""Live mode: judges again while policy or content is typed.

At most one judgement runs and one waits. What runs is stopped as soon as it is stale; what a person asked for by hand
is never stopped by it. After Esc, and beside a verdict of the same text, only a change begins a new one.
"""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import QObject, QTimer, Signal

from studio.ui.workbench.runner import Asked, Runner

LIVE_PAUSE_MS = 350
"""From the last change to the judgement; the policy's own pause (see PolicyDocument) comes before it."""


class LiveMode(QObject):
    """Decides when to judge.

    ``ask`` reads what stands there (None: nothing to judge), ``fresh`` whether the verdict in sight is one of that,
    ``free`` whether another may take its place, ``start`` begins a judgement. ``switched`` tells that it was turned on
    or off, ``changed`` that :attr:`due` may have changed, ``gave_up`` why it has turned itself off.
    """

    switched = Signal(bool)
    changed = Signal()
    gave_up = Signal(str)

    def __init__(
        self,
        runner: Runner,
        ask: Callable[[], Asked | None],
        fresh: Callable[[], bool],
        free: Callable[[], bool],
        start: Callable[[Asked], None],
        parent: QObject,
    ) -> None:
        super().__init__(parent)
        self._runner, self._ask, self._fresh, self._free, self._start = runner, ask, fresh, free, start
        self._on = False
        self._waits = False
        self._held: Asked | None = None
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.setInterval(LIVE_PAUSE_MS)
        self._timer.timeout.connect(self._go)
        runner.ended.connect(self._ended)

    @property
    def on(self) -> bool:
        """Whether it judges while one types."""
        return self._on

    @property
    def due(self) -> bool:
        """Whether a live judgement runs, waits, or begins after the pause."""
        return self._on and (self._timer.isActive() or self._waits or self._runner.live)

    def toggle(self) -> None:
        """Turn it on or off."""
        self.switch(not self._on)

    def switch(self, on: bool, *, now: bool = True) -> None:
        """Turn it on or off. ``now``: judge at once what stands there."""
        if on == self._on:
            return
        self._on = on
        self._held = None
        self.switched.emit(on)
        if not on:
            self.hold()
        elif now:
            self._timer.start()
        self.changed.emit()

    def touch(self) -> None:
        """Something was typed or chosen: what runs live is stale, and a new judgement is due after a pause."""
        if not self._on:
            return
        self._timer.start()
        if self._runner.live:
            self._runner.stop()
        self.changed.emit()

    def hold(self) -> None:
        """Stop what runs live, and wait for the next change."""
        self._timer.stop()
        self._waits = False
        self._held = self._ask()
        if self._runner.live:
            self._runner.stop()
        self.changed.emit()

    def _go(self) -> None:
        asked = self._ask()
        if asked is None or asked == self._held or self._fresh():
            self.changed.emit()
        elif self._runner.running:
            # A judgement that was asked for by hand goes on to its end; a live one has been told to stop.
            self._waits = True
        elif self._free():
            self._waits = False
            self._start(asked)
        else:
            # Somebody is looking at what explains the verdict in sight.
            self._timer.start()

    def _ended(self, failed: bool) -> None:
        if self._on and failed:
            self.switch(False)
            self.gave_up.emit("Live is off: the model could not answer. Run shows what is wrong.")
        elif self._on and self._waits:
            self._waits = False
            self._go()
        self.changed.emit()
