"""Ctrl+K: one list over actions, policies and sessions."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial

from PySide6.QtCore import QRect
from PySide6.QtGui import QKeySequence
from PySide6.QtWidgets import QWidget

from studio.ui.actions import Act, Actions
from studio.ui.context import Context
from studio.ui.icons import icon
from studio.ui.tasks import Lane
from studio.ui.widgets.popup import Entry, SearchPopup
from studio.ui.words import count, when

_SESSIONS = 50


class Palette:
    """The palette of one window."""

    def __init__(
        self,
        context: Context,
        actions: Actions,
        window: QWidget,
        open_policy: Callable[[str], None],
        open_session: Callable[[str], None],
    ) -> None:
        self._context, self._actions, self._window = context, actions, window
        self._open_policy, self._open_session = open_policy, open_session
        self.popup = SearchPopup(context.theme, "Find an action, a policy or a session", window)
        context.theme.dress(self.popup)

    def open(self) -> None:
        """Read what there is and show it."""
        studio = self._context.studio

        def read() -> tuple[list[tuple[str, str, str]], list[tuple[str, str, str]]]:
            policies = [(p.id, p.title, p.summary) for p in studio.policies.list()]
            sessions = [
                (s.id, s.title, f"{count(s.run_count, 'run')}, {when(s.updated_at)}")
                for s in studio.sessions.list(limit=_SESSIONS)
            ]
            return policies, sessions

        self._context.tasks.run(Lane.READ, read, on_done=lambda found: self._show(*found))

    def _show(self, policies: Sequence[tuple[str, str, str]], sessions: Sequence[tuple[str, str, str]]) -> None:
        tokens = self._context.theme.tokens
        entries = []
        for spec, action in self._actions.rows():
            if spec.act is not Act.PALETTE and action.isEnabled():
                keys = action.shortcut().toString(QKeySequence.SequenceFormat.NativeText)
                entries.append(Entry(spec.words, action.trigger, note=keys, icon=icon("lightning", tokens)))
        for key, title, summary in policies:
            entries.append(Entry(title, partial(self._open_policy, key), summary, "policy", icon("file-text", tokens)))
        clock = icon("clock-counter-clockwise", tokens)
        for key, title, detail in sessions:
            entries.append(Entry(title, partial(self._open_session, key), detail, "session", clock))
        window = self._window
        width = min(self._context.theme.scale.px(600), window.width() - 64)
        corner = window.mapToGlobal(window.rect().topLeft())
        place = QRect(corner.x() + (window.width() - width) // 2, corner.y() + 40, width, 8)
        self.popup.open_at(place, entries)
