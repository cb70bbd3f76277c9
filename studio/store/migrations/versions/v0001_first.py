"""The first tables: policies, sessions, contents, runs, golden examples, settings, full-text search."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None


def upgrade() -> None:
    """Build the tables of an empty workspace."""
    _policies()
    _sessions_and_contents()
    _runs()
    _golden()
    op.create_table(
        "settings",
        sa.Column("key", sa.Text, nullable=False),
        sa.Column("value", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("key", name="pk_settings"),
    )
    # Emoji (category So) are words here: they carry meaning in what is moderated.
    op.execute(
        "CREATE VIRTUAL TABLE run_search USING fts5(policy, session, content, rationale, reasoning, "
        "tokenize = \"unicode61 remove_diacritics 2 categories 'L* N* Co So'\")"
    )


def _policies() -> None:
    op.create_table(
        "policies",
        sa.Column("id", sa.Text, nullable=False),
        sa.Column("title", sa.Text, nullable=False),
        sa.Column("summary", sa.Text, nullable=False),
        sa.Column("tags", sa.Text, nullable=False),
        sa.Column("latest_number", sa.Integer, nullable=False),
        sa.Column("archived", sa.Boolean, nullable=False),
        sa.Column("builtin", sa.Boolean, nullable=False),
        sa.Column("updated_at", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_policies"),
    )
    op.create_table(
        "policy_documents",
        sa.Column("sha256", sa.Text, nullable=False),
        sa.Column("judged_sha256", sa.Text, nullable=False),
        sa.Column("document", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("sha256", name="pk_policy_documents"),
    )
    op.create_index("ix_policy_documents_judged_sha256", "policy_documents", ["judged_sha256"])
    op.create_table(
        "policy_versions",
        sa.Column("policy_id", sa.Text, nullable=False),
        sa.Column("number", sa.Integer, nullable=False),
        sa.Column("document_sha256", sa.Text, nullable=False),
        sa.Column("message", sa.Text, nullable=False),
        sa.Column("author", sa.Text, nullable=False),
        sa.Column("created_at", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("policy_id", "number", name="pk_policy_versions"),
        sa.ForeignKeyConstraint(["policy_id"], ["policies.id"], name="fk_policy_versions_policy_id"),
        sa.ForeignKeyConstraint(
            ["document_sha256"], ["policy_documents.sha256"], name="fk_policy_versions_document_sha256"
        ),
    )
    op.create_index("ix_policy_versions_document_sha256", "policy_versions", ["document_sha256"])
    op.create_table(
        "policy_drafts",
        sa.Column("policy_id", sa.Text, nullable=False),
        sa.Column("document", sa.Text, nullable=False),
        sa.Column("updated_at", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("policy_id", name="pk_policy_drafts"),
    )


def _sessions_and_contents() -> None:
    op.create_table(
        "contents",
        sa.Column("sha256", sa.Text, nullable=False),
        sa.Column("kind", sa.Text, nullable=False),
        sa.Column("document", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("sha256", name="pk_contents"),
    )
    op.create_table(
        "sessions",
        sa.Column("seq", sa.Integer, nullable=False),
        sa.Column("id", sa.Text, nullable=False),
        sa.Column("title", sa.Text, nullable=False),
        sa.Column("created_at", sa.Text, nullable=False),
        sa.Column("updated_at", sa.Text, nullable=False),
        sa.Column("activity", sa.Integer, nullable=False),
        sa.Column("state", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("seq", name="pk_sessions"),
        sa.UniqueConstraint("id", name="uq_sessions_id"),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_sessions_activity", "sessions", ["activity"])


def _runs() -> None:
    op.create_table(
        "runs",
        sa.Column("seq", sa.Integer, nullable=False),
        sa.Column("id", sa.Text, nullable=False),
        sa.Column("session_id", sa.Text, nullable=False),
        sa.Column("policy_id", sa.Text, nullable=False),
        sa.Column("policy_sha256", sa.Text, nullable=False),
        sa.Column("document_sha256", sa.Text, nullable=False),
        sa.Column("version", sa.Integer),
        sa.Column("content_sha256", sa.Text, nullable=False),
        sa.Column("state", sa.Text, nullable=False),
        sa.Column("owner", sa.Text, nullable=False),
        sa.Column("started_at", sa.Text, nullable=False),
        sa.Column("finished_at", sa.Text),
        sa.Column("model_name", sa.Text),
        sa.Column("model_sha256", sa.Text),
        sa.Column("provenance", sa.Text),
        sa.Column("timing", sa.Text, nullable=False),
        sa.Column("status", sa.Text),
        sa.Column("decision", sa.Text),
        sa.Column("confidence", sa.Float),
        sa.Column("review_reason", sa.Text),
        sa.Column("labels", sa.Text, nullable=False),
        sa.Column("rule_ids", sa.Text, nullable=False),
        sa.Column("alternatives", sa.Text, nullable=False),
        sa.Column("rationale", sa.Text, nullable=False),
        sa.Column("reasoning", sa.Text, nullable=False),
        sa.Column("raw_final", sa.Text, nullable=False),
        sa.Column("status_detail", sa.Text, nullable=False),
        sa.Column("raw_output", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("seq", name="pk_runs"),
        sa.UniqueConstraint("id", name="uq_runs_id"),
        sa.ForeignKeyConstraint(["session_id"], ["sessions.id"], name="fk_runs_session_id"),
        sa.ForeignKeyConstraint(["document_sha256"], ["policy_documents.sha256"], name="fk_runs_document_sha256"),
        sa.ForeignKeyConstraint(["content_sha256"], ["contents.sha256"], name="fk_runs_content_sha256"),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_runs_session_id_seq", "runs", ["session_id", "seq"])
    op.create_index("ix_runs_policy_id_seq", "runs", ["policy_id", "seq"])
    op.create_index("ix_runs_document_sha256", "runs", ["document_sha256"])
    op.create_index("ix_runs_content_sha256", "runs", ["content_sha256"])
    op.create_index("ix_runs_state", "runs", ["state"])


def _golden() -> None:
    op.create_table(
        "golden",
        sa.Column("seq", sa.Integer, nullable=False),
        sa.Column("id", sa.Text, nullable=False),
        sa.Column("policy_id", sa.Text, nullable=False),
        sa.Column("content_sha256", sa.Text, nullable=False),
        sa.Column("expected", sa.Text),
        sa.Column("labels", sa.Text, nullable=False),
        sa.Column("why", sa.Text, nullable=False),
        sa.Column("decided_by", sa.Text, nullable=False),
        sa.Column("tags", sa.Text, nullable=False),
        sa.Column("source", sa.Text, nullable=False),
        sa.Column("source_row", sa.Text, nullable=False),
        sa.Column("created_at", sa.Text),
        sa.PrimaryKeyConstraint("seq", name="pk_golden"),
        sa.UniqueConstraint("id", name="uq_golden_id"),
        sa.ForeignKeyConstraint(["content_sha256"], ["contents.sha256"], name="fk_golden_content_sha256"),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_golden_policy_id_seq", "golden", ["policy_id", "seq"])
    op.create_index("ix_golden_policy_id_content_sha256", "golden", ["policy_id", "content_sha256"])
    op.create_index("ix_golden_content_sha256", "golden", ["content_sha256"])
