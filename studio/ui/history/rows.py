"""Light rows for runs, and fetching them page by page beside the window."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from studio.core.labels import Decision
from studio.core.run import Run
from studio.services.sessions import SessionService
from studio.ui.words import headline

PAGE = 100
_RAW_PAGE = 250
_MOST_FOUND = 1000
_MOST_READ = 5000


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
    """Some rows, where to go on, and whether that was all."""

    rows: tuple[RunRow, ...]
    offset: int
    complete: bool


def fetch(sessions: SessionService, query: Query, offset: int) -> Fetched:
    """The next rows from ``offset`` (counted in stored runs). Reads on until a page is full or the end is reached."""
    if query.words.strip():
        return _search(sessions, query)
    rows: list[RunRow] = []
    read = 0
    while len(rows) < PAGE and read < _MOST_READ:
        runs = sessions.runs(
            session_id=query.session_id, policy_id=query.policy_id, limit=_RAW_PAGE, offset=offset + read
        )
        read += len(runs)
        rows += [_row(run, "") for run in runs if _wanted(run, query)]
        if len(runs) < _RAW_PAGE:
            return Fetched(tuple(rows), offset + read, complete=True)
    return Fetched(tuple(rows), offset + read, complete=False)


def _search(sessions: SessionService, query: Query) -> Fetched:
    hits = sessions.search(query.words, limit=_MOST_FOUND)
    rows = tuple(
        _row(hit.run, hit.snippet)
        for hit in hits
        if _wanted(hit.run, query)
        and query.session_id in (None, hit.run.session_id)
        and query.policy_id in (None, hit.run.policy.id)
    )
    return Fetched(rows, len(hits), complete=True)


def _wanted(run: Run, query: Query) -> bool:
    return not query.decisions or _decision(run) in query.decisions


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
