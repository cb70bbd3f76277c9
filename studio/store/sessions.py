"""Sessions: sittings at the workbench, with what was typed, so that nothing typed is lost."""

from __future__ import annotations

import builtins
import uuid
from datetime import datetime
from typing import Any

from sqlalchemy import Select, delete, func, select
from sqlalchemy.orm import Session as Transaction

from studio.core.errors import NotFoundError
from studio.core.run import Session
from studio.store.database import Database
from studio.store.keep import drop_contents, drop_policies
from studio.store.schema import RunRow, SessionRow
from studio.store.search_index import forget_session, retitle_session


class Sessions:
    """The sessions of a workspace. All methods raise StoreError when the file fails."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def create(self, title: str, now: datetime) -> Session:
        """Start a session."""
        with self._database.write() as transaction:
            row = SessionRow(
                id=uuid.uuid4().hex,
                title=title,
                created_at=now,
                updated_at=now,
                activity=next_activity(transaction),
                state={},
            )
            transaction.add(row)
            transaction.flush()
            transaction.refresh(row)
            return _session_from(row, 0)

    def list(self, limit: int = 50, offset: int = 0) -> builtins.list[Session]:
        """The sessions, the one that was last worked in first."""
        with self._database.read() as transaction:
            found = transaction.execute(
                _with_count().order_by(SessionRow.activity.desc()).limit(limit).offset(offset)
            ).all()
            return [_session_from(row, count) for row, count in found]

    def get(self, session_id: str) -> Session | None:
        """One session, None when there is no such."""
        with self._database.read() as transaction:
            found = transaction.execute(_with_count().where(SessionRow.id == session_id)).one_or_none()
            return None if found is None else _session_from(*found)

    def rename(self, session_id: str, title: str) -> None:
        """Give the session a new title. Raises NotFoundError."""
        with self._database.write() as transaction:
            session_row(transaction, session_id).title = title
            retitle_session(transaction, session_id, title)

    def delete(self, session_id: str) -> None:
        """Delete the session with its runs, and contents that nothing else needs. Raises NotFoundError."""
        with self._database.write() as transaction:
            row = session_row(transaction, session_id)
            runs = RunRow.session_id == session_id
            kept = transaction.execute(select(RunRow.content_sha256, RunRow.document_sha256).where(runs)).all()
            forget_session(transaction, session_id)
            transaction.execute(delete(RunRow).where(runs))
            transaction.delete(row)
            transaction.flush()
            drop_contents(transaction, (content for content, _ in kept))
            drop_policies(transaction, (document for _, document in kept))

    def save_state(self, session_id: str, state: dict[str, Any]) -> None:
        """Keep the workbench as it is: a JSON object, in place of the one before. Raises NotFoundError."""
        with self._database.write() as transaction:
            session_row(transaction, session_id).state = state

    def state(self, session_id: str) -> dict[str, Any]:
        """The workbench as it was last kept; empty when it never was. Raises NotFoundError."""
        with self._database.read() as transaction:
            return session_row(transaction, session_id).state


def next_activity(transaction: Transaction) -> int:
    """A number above that of every session; newest first is by it, as a clock may be set back."""
    return (transaction.scalar(select(func.max(SessionRow.activity))) or 0) + 1


def session_row(transaction: Transaction, session_id: str) -> SessionRow:
    """The session's row. Raises NotFoundError."""
    row = transaction.scalar(select(SessionRow).where(SessionRow.id == session_id))
    if row is None:
        raise NotFoundError(f"There is no session {session_id!r} in this workspace.")
    return row


def _with_count() -> Select[tuple[SessionRow, int]]:
    count = select(func.count()).where(RunRow.session_id == SessionRow.id).correlate(SessionRow).scalar_subquery()
    return select(SessionRow, count)


def _session_from(row: SessionRow, run_count: int) -> Session:
    return Session(row.id, row.title, row.created_at, row.updated_at, run_count)
