"""The tables of a workspace. The migrations build them; a test holds that both say the same.

Every table that is listed has an integer ``seq`` that only grows: the order of things never depends on the clock.
"""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import ForeignKey, Index, Integer, MetaData, Text, text
from sqlalchemy.engine import Dialect
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column
from sqlalchemy.types import TypeDecorator

from studio.core.content import clean

APPLICATION_ID = 0x4D53_5457
"""Written into the file's header, so that a workspace is told from any other SQLite file ("MSTW")."""

REVISION = "0004"
"""The newest migration; a file at this revision opens without loading Alembic."""

SEARCH_TABLE = "run_search"
"""The full-text index over runs; its ``rowid`` is the run's ``seq``. A virtual table, so it is not mapped."""


def _is_unicode(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


class CleanText(TypeDecorator[str]):
    """Text as valid Unicode; SQLite cannot keep lone surrogates, so they become U+FFFD here."""

    impl = Text
    cache_ok = True

    def process_bind_param(self, value: str | None, dialect: Dialect) -> str | None:
        """Clean the text on its way in."""
        return value if value is None or _is_unicode(value) else clean(value)


class UtcDateTime(TypeDecorator[datetime]):
    """A moment as sortable ISO text in UTC. A datetime without a time zone is a mistake of the caller."""

    impl = Text
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> str | None:
        """Write the moment in UTC."""
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError("a datetime without a time zone cannot be stored")
        return value.astimezone(UTC).isoformat(timespec="microseconds")

    def process_result_value(self, value: str | None, dialect: Dialect) -> datetime | None:
        """Read the moment, aware and in UTC."""
        return None if value is None else datetime.fromisoformat(value)


class Json(TypeDecorator[Any]):
    """A JSON document, exact for every string: what UTF-8 cannot carry is kept as an escape."""

    impl = Text
    cache_ok = True

    def process_bind_param(self, value: Any, dialect: Dialect) -> str | None:
        """Write the document."""
        if value is None:
            return None
        text = json.dumps(value, ensure_ascii=False, separators=(",", ":"))
        return text if _is_unicode(text) else json.dumps(value, separators=(",", ":"))

    def process_result_value(self, value: str | None, dialect: Dialect) -> Any:
        """Read the document."""
        return None if value is None else json.loads(value)


class Base(DeclarativeBase):
    """The base of all rows. Names of constraints are fixed, so that later migrations can name them."""

    metadata = MetaData(
        naming_convention={
            "ix": "ix_%(table_name)s_%(column_0_N_name)s",
            "uq": "uq_%(table_name)s_%(column_0_name)s",
            "fk": "fk_%(table_name)s_%(column_0_name)s",
            "pk": "pk_%(table_name)s",
        }
    )


class PolicyRow(Base):
    """A policy that was saved at least once; what lists show is kept here beside its versions."""

    __tablename__ = "policies"

    id: Mapped[str] = mapped_column(CleanText, primary_key=True)
    title: Mapped[str] = mapped_column(CleanText)
    summary: Mapped[str] = mapped_column(CleanText)
    tags: Mapped[list[str]] = mapped_column(Json)
    jurisdictions: Mapped[list[str]] = mapped_column(Json, server_default=text("'[]'"))
    latest_number: Mapped[int]
    archived: Mapped[bool]
    builtin: Mapped[bool]
    updated_at: Mapped[datetime] = mapped_column(UtcDateTime)


class PolicyDocumentRow(Base):
    """Every policy that was ever saved or judged by, whole; keyed by the digest of the whole document."""

    __tablename__ = "policy_documents"

    sha256: Mapped[str] = mapped_column(CleanText, primary_key=True)
    judged_sha256: Mapped[str] = mapped_column(CleanText, index=True)
    document: Mapped[dict[str, Any]] = mapped_column(Json)


class PolicyVersionRow(Base):
    """A saved version: immutable, numbered from 1 within its policy. ``release`` names it, empty for most."""

    __tablename__ = "policy_versions"

    policy_id: Mapped[str] = mapped_column(ForeignKey("policies.id"), primary_key=True)
    number: Mapped[int] = mapped_column(primary_key=True)
    document_sha256: Mapped[str] = mapped_column(ForeignKey("policy_documents.sha256"), index=True)
    message: Mapped[str] = mapped_column(CleanText)
    author: Mapped[str] = mapped_column(CleanText)
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    release: Mapped[str] = mapped_column(CleanText, server_default=text("''"))


class PolicyDraftRow(Base):
    """A policy as it was last typed and not yet saved; it may have no saved version at all."""

    __tablename__ = "policy_drafts"

    policy_id: Mapped[str] = mapped_column(CleanText, primary_key=True)
    document: Mapped[dict[str, Any]] = mapped_column(Json)
    updated_at: Mapped[datetime] = mapped_column(UtcDateTime)


class ContentRow(Base):
    """A piece of content, kept once however often it is judged."""

    __tablename__ = "contents"

    sha256: Mapped[str] = mapped_column(CleanText, primary_key=True)
    kind: Mapped[str] = mapped_column(CleanText)
    document: Mapped[dict[str, Any]] = mapped_column(Json)


class SessionRow(Base):
    """A sitting at the workbench. ``activity`` grows with every run in it: the newest sitting has the highest."""

    __tablename__ = "sessions"
    __table_args__ = ({"sqlite_autoincrement": True},)

    seq: Mapped[int] = mapped_column(Integer, primary_key=True)
    id: Mapped[str] = mapped_column(CleanText, unique=True)
    title: Mapped[str] = mapped_column(CleanText)
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    updated_at: Mapped[datetime] = mapped_column(UtcDateTime)
    activity: Mapped[int] = mapped_column(index=True)
    state: Mapped[dict[str, Any]] = mapped_column(Json)


class RunRow(Base):
    """A judgement: what was asked, and, once it ended, what came back.

    ``status`` is NULL while there is no verdict yet. ``owner`` names the process that runs it (``owner.py``).
    """

    __tablename__ = "runs"
    __table_args__ = (
        Index("ix_runs_session_id_seq", "session_id", "seq"),
        Index("ix_runs_policy_id_seq", "policy_id", "seq"),
        {"sqlite_autoincrement": True},
    )

    seq: Mapped[int] = mapped_column(Integer, primary_key=True)
    id: Mapped[str] = mapped_column(CleanText, unique=True)
    session_id: Mapped[str] = mapped_column(ForeignKey("sessions.id"))
    policy_id: Mapped[str] = mapped_column(CleanText)
    policy_sha256: Mapped[str] = mapped_column(CleanText)
    document_sha256: Mapped[str] = mapped_column(ForeignKey("policy_documents.sha256"), index=True)
    version: Mapped[int | None]
    content_sha256: Mapped[str] = mapped_column(ForeignKey("contents.sha256"), index=True)
    state: Mapped[str] = mapped_column(CleanText, index=True)
    owner: Mapped[str] = mapped_column(CleanText)
    started_at: Mapped[datetime] = mapped_column(UtcDateTime)
    finished_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    model_name: Mapped[str | None] = mapped_column(CleanText)
    model_sha256: Mapped[str | None] = mapped_column(CleanText)
    provenance: Mapped[dict[str, Any] | None] = mapped_column(Json)
    timing: Mapped[dict[str, Any]] = mapped_column(Json)
    status: Mapped[str | None] = mapped_column(CleanText)
    decision: Mapped[str | None] = mapped_column(CleanText)
    confidence: Mapped[float | None]
    review_reason: Mapped[str | None] = mapped_column(CleanText)
    labels: Mapped[list[str]] = mapped_column(Json)
    rule_ids: Mapped[list[str]] = mapped_column(Json)
    alternatives: Mapped[list[list[Any]]] = mapped_column(Json)
    rationale: Mapped[str] = mapped_column(CleanText)
    reasoning: Mapped[str] = mapped_column(CleanText)
    raw_final: Mapped[str] = mapped_column(CleanText)
    status_detail: Mapped[str] = mapped_column(CleanText)
    raw_output: Mapped[str] = mapped_column(CleanText)


class GoldenRow(Base):
    """A golden example of a policy. ``expected`` is NULL while nobody has decided."""

    __tablename__ = "golden"
    __table_args__ = (
        Index("ix_golden_policy_id_seq", "policy_id", "seq"),
        Index("ix_golden_policy_id_content_sha256", "policy_id", "content_sha256"),
        {"sqlite_autoincrement": True},
    )

    seq: Mapped[int] = mapped_column(Integer, primary_key=True)
    id: Mapped[str] = mapped_column(CleanText, unique=True)
    policy_id: Mapped[str] = mapped_column(CleanText)
    content_sha256: Mapped[str] = mapped_column(ForeignKey("contents.sha256"), index=True)
    expected: Mapped[str | None] = mapped_column(CleanText)
    labels: Mapped[list[str]] = mapped_column(Json)
    why: Mapped[str] = mapped_column(CleanText)
    decided_by: Mapped[str] = mapped_column(CleanText)
    tags: Mapped[list[str]] = mapped_column(Json)
    source: Mapped[str] = mapped_column(CleanText)
    source_row: Mapped[str] = mapped_column(CleanText)
    original: Mapped[str] = mapped_column(CleanText, server_default=text("''"))
    source_sha256: Mapped[str] = mapped_column(CleanText, server_default=text("''"))
    held_out: Mapped[bool] = mapped_column(server_default=text("0"))
    created_at: Mapped[datetime | None] = mapped_column(UtcDateTime)


class SettingRow(Base):
    """One setting of the workspace."""

    __tablename__ = "settings"

    key: Mapped[str] = mapped_column(CleanText, primary_key=True)
    value: Mapped[Any] = mapped_column(Json, nullable=False)
