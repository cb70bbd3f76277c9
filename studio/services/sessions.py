"""Sessions: sittings at the workbench, with their runs and with what was typed, and the search over all runs."""

from __future__ import annotations

import builtins
from collections.abc import Collection, Mapping
from datetime import UTC, datetime
from typing import Any

from studio.core.errors import NotFoundError
from studio.core.labels import Decision
from studio.core.run import Run, SearchHit, Session
from studio.store.workspace import Workspace

LIVE = "Live"
"""The title of the session that holds what was judged while somebody typed."""

_CURRENT = "workbench_session"


class SessionService:
    """Reading and keeping sessions and runs."""

    def __init__(self, workspace: Workspace) -> None:
        self._sessions = workspace.sessions
        self._runs = workspace.runs
        self._search = workspace.search
        self._settings = workspace.settings

    def current(self) -> Session:
        """The workbench's session as it was left; a new one in a new workspace."""
        kept = self._settings.get(_CURRENT)
        found = self._sessions.get(kept) if isinstance(kept, str) else None
        if found is None:
            found = self.create("Workbench")
            self._settings.set(_CURRENT, found.id)
        return found

    def named(self, title: str) -> Session:
        """The newest session of that title, or a new one."""
        for session in self._sessions.list(limit=200, offset=0):
            if session.title == title:
                return session
        return self.create(title)

    def create(self, title: str = "") -> Session:
        """A new session; without a title it is named after the time."""
        now = datetime.now(UTC)
        return self._sessions.create(title or f"{now.astimezone():%d %B %Y, %H:%M}", now)

    def get(self, session_id: str) -> Session:
        """A session by its id or by the unique start of it, or the newest of that title. Raises NotFoundError."""
        found = self._sessions.get(session_id)
        if found is None and session_id:
            known = self._sessions.list(limit=10_000, offset=0)
            starts = [one for one in known if one.id.startswith(session_id)]
            found = starts[0] if len(starts) == 1 else next((one for one in known if one.title == session_id), None)
        if found is None:
            raise NotFoundError(
                f"There is no session {session_id!r} in this workspace.",
                hint="`moderation-studio sessions list` shows those that are there.",
            )
        return found

    def list(self, limit: int = 50, offset: int = 0) -> list[Session]:
        """Sessions, the last used first."""
        return self._sessions.list(limit=limit, offset=offset)

    def rename(self, session_id: str, title: str) -> None:
        """Give a session another title."""
        self._sessions.rename(session_id, title)

    def delete(self, session_id: str) -> None:
        """Delete a session with its runs."""
        self._sessions.delete(session_id)

    def runs(
        self,
        *,
        session_id: str | None = None,
        policy_id: str | None = None,
        decisions: Collection[Decision | None] = (),
        limit: int = 100,
        offset: int = 0,
    ) -> builtins.list[Run]:
        """Runs, newest first; ``decisions`` empty means all, None among them those without a verdict."""
        return self._runs.list(
            session_id=session_id, policy_id=policy_id, decisions=decisions, limit=limit, offset=offset
        )

    def run(self, run_id: str) -> Run:
        """A run by its id. Raises NotFoundError."""
        found = self._runs.get(run_id)
        if found is None:
            raise NotFoundError(f"There is no run {run_id!r} in this workspace.")
        return found

    def search(self, query: str, limit: int = 100) -> builtins.list[SearchHit]:
        """Runs whose content, rationale or reasoning holds the words; any text is a valid query."""
        return self._search.search(query, limit)

    def save_state(self, session_id: str, state: Mapping[str, Any]) -> None:
        """Keep what was typed and chosen in a session."""
        self._sessions.save_state(session_id, dict(state))

    def state(self, session_id: str) -> dict[str, Any]:
        """What was typed and chosen in a session; empty when nothing was kept."""
        return self._sessions.state(session_id) or {}
