"""Golden examples know whether they are held out from those who write the policy."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    """Add the column; nothing was held out before."""
    op.add_column("golden", sa.Column("held_out", sa.Boolean, nullable=False, server_default=sa.text("0")))
