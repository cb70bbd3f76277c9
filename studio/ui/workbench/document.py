"""The policy that is open: what it was when opened or saved, and what it is now."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from PySide6.QtCore import QObject, QTimer, Signal

from studio.core.policy import Policy, PolicyVersion

_PAUSE_MS = 150


class PolicyDocument(QObject):
    """Holds the open policy. The text comes from the editor; everything else is changed through :meth:`change`.

    ``touched`` comes with every change, ``changed`` shortly after the last one, ``opened`` when another policy takes
    its place.
    """

    touched = Signal()
    changed = Signal()
    opened = Signal()

    def __init__(self, text: Callable[[], str], parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._read_text = text
        self._base: Policy | None = None
        self._current: Policy | None = None
        self._version: PolicyVersion | None = None
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.setInterval(_PAUSE_MS)
        self._timer.timeout.connect(self.changed)

    @property
    def is_open(self) -> bool:
        """Whether a policy is open."""
        return self._base is not None

    @property
    def policy(self) -> Policy:
        """The policy as it is now, typed text included."""
        if self._base is None:
            raise RuntimeError("no policy is open")
        if self._current is None:
            self._current = replace(self._base, text=self._read_text())
        return self._current

    @property
    def version(self) -> PolicyVersion | None:
        """The newest saved version; None while there is only a draft."""
        return self._version

    @property
    def edited(self) -> bool:
        """Whether anything differs from the newest saved version."""
        return self._version is None or self.policy != self._version.policy

    def open(self, policy: Policy, version: PolicyVersion | None) -> None:
        """Take another policy in. The caller has put its text into the editor."""
        self._base, self._version, self._current = policy, version, None
        self._timer.stop()
        self.opened.emit()
        self.changed.emit()

    def saved(self, version: PolicyVersion) -> None:
        """Note that a version was saved."""
        self._version = version
        self.changed.emit()

    def change(self, **fields: Any) -> None:
        """Change labels, form, effort or title."""
        if self._base is not None:
            self._base = replace(self._base, **fields)
            self.touch()

    def touch(self) -> None:
        """Something was typed."""
        self._current = None
        self._timer.start()
        self.touched.emit()

    def settle(self) -> None:
        """Tell at once what a pause would tell."""
        if self._timer.isActive():
            self._timer.stop()
            self.changed.emit()
