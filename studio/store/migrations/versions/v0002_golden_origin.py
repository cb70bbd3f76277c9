"""Golden examples know the label that their file gave them, and which file that was."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    """Add the two columns; examples from before have no file."""
    op.add_column("golden", sa.Column("original", sa.Text, nullable=False, server_default=sa.text("''")))
    op.add_column("golden", sa.Column("source_sha256", sa.Text, nullable=False, server_default=sa.text("''")))
