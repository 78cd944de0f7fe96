"""How often a job's lease ran out is counted apart from the attempts that it spoilt itself."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    op.add_column("jobs", sa.Column("lapses", sa.Integer(), server_default="0", nullable=False))
