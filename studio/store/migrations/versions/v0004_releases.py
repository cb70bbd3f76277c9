"""Versions may be named as releases, and the list of policies knows their jurisdictions."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"

_NEWEST = """
SELECT json_extract(document.document, '$.jurisdictions')
FROM policy_versions AS version JOIN policy_documents AS document ON document.sha256 = version.document_sha256
WHERE version.policy_id = policies.id AND version.number = policies.latest_number
"""


def upgrade() -> None:
    """Add the two columns; jurisdictions come from each policy's newest version, and nothing was a release before."""
    op.add_column("policy_versions", sa.Column("release", sa.Text, nullable=False, server_default=sa.text("''")))
    op.add_column("policies", sa.Column("jurisdictions", sa.Text, nullable=False, server_default=sa.text("'[]'")))
    op.execute(f"UPDATE policies SET jurisdictions = coalesce(({_NEWEST}), '[]')")
