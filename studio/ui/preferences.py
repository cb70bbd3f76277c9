"""The user's settings as the window sees them: read once, changed in one place, written beside the window."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from PySide6.QtCore import QObject, QTimer, Signal

from studio import settings
from studio.settings import Loaded, Settings
from studio.ui.tasks import Lane, Tasks

_LAYOUT_PAUSE_MS = 400


class Preferences(QObject):
    """Holds the settings. ``changed`` tells that something other than the layout was chosen anew."""

    changed = Signal()

    def __init__(self, loaded: Loaded, tasks: Tasks, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._tasks = tasks
        self._values = loaded.settings
        self.problem = loaded.problem
        self._layout = dict(loaded.settings.layout)
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.setInterval(_LAYOUT_PAUSE_MS)
        self._timer.timeout.connect(self.flush)

    @property
    def values(self) -> Settings:
        """The settings as they are now."""
        return self._values

    def change(self, **fields: Any) -> None:
        """Change settings by name and keep them."""
        self._values = replace(self._values, **fields)
        self._tasks.run(Lane.STORE, lambda: settings.change(**fields))
        self.changed.emit()

    def layout(self, name: str) -> str:
        """What was kept of a splitter, a column or the window; empty when nothing was."""
        return self._layout.get(name, "")

    def keep_layout(self, name: str, value: str) -> None:
        """Remember the place of something; it is written after a pause."""
        if self._layout.get(name) != value:
            self._layout[name] = value
            self._timer.start()

    def flush(self) -> None:
        """Write what is still only remembered."""
        if self._timer.isActive() or dict(self._values.layout) != self._layout:
            self._timer.stop()
            layout = dict(self._layout)
            self._values = replace(self._values, layout=layout)
            self._tasks.run(Lane.STORE, lambda: settings.change(layout=layout))
