"""Which workers failed a job and passed it on."""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"


def upgrade() -> None:
    op.add_column("jobs", sa.Column("failed_on", sa.Text()))
    op.add_column("jobs", sa.Column("passed_on_at", sa.Double()))
