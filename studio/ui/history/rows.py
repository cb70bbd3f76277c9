"""Light rows for runs, and fetching them page by page beside the window."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from studio.core.labels import Decision
from studio.core.run import Run
from studio.services.sessions import SessionService
from studio.ui.words import headline

PAGE = 100
_MOST_FOUND = 1000


@dataclass(frozen=True, slots=True)
class RunRow:
    """What the table shows of a run. ``decision`` None: no verdict. ``snippet`` marks words as the search does."""

    id: str
    decision: Decision | None
    headline: str
    content: str
    snippet: str
    policy: str
    started_at: datetime


@dataclass(frozen=True, slots=True)
class Query:
    """What is wanted: words, a session, a policy, decisions (empty: all; None among them: no verdict)."""

    words: str = ""
    session_id: str | None = None
    policy_id: str | None = None
    decisions: frozenset[Decision | None] = frozenset()


@dataclass(frozen=True, slots=True)
class Fetched:
    """Some rows, where to go on (counted in stored runs), and whether that was all."""

    rows: tuple[RunRow, ...]
    offset: int
    complete: bool


def fetch(sessions: SessionService, query: Query, offset: int) -> Fetched:
    """The next rows from ``offset``, a page of them at most."""
    if query.words.strip():
        return _search(sessions, query)
    runs = sessions.runs(
        session_id=query.session_id,
        policy_id=query.policy_id,
        decisions=query.decisions,
        limit=PAGE,
        offset=offset,
    )
    return Fetched(tuple(_row(run, "") for run in runs), offset + len(runs), complete=len(runs) < PAGE)


def _search(sessions: SessionService, query: Query) -> Fetched:
    hits = sessions.search(query.words, limit=_MOST_FOUND)
    rows = tuple(
        _row(hit.run, hit.snippet)
        for hit in hits
        if (not query.decisions or _decision(hit.run) in query.decisions)
        and query.session_id in (None, hit.run.session_id)
        and query.policy_id in (None, hit.run.policy.id)
    )
    return Fetched(rows, len(hits), complete=True)


def _decision(run: Run) -> Decision | None:
    return run.verdict.decision if run.verdict else None


def _row(run: Run, snippet: str) -> RunRow:
    version = f" v{run.version}" if run.version else " draft"
    return RunRow(
        id=run.id,
        decision=_decision(run),
        headline=headline(run),
        content=run.content.title,
        snippet=" ".join(snippet.split()),
        policy=run.policy.title + version,
        started_at=run.started_at,
    )
