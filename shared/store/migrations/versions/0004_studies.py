"""Studies, the clips of evaluations, and the locks that scorers publish."""

from typing import Any

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0004"
down_revision = "0003"

_JSON = sa.JSON(none_as_null=True).with_variant(postgresql.JSONB(none_as_null=True), "postgresql")


def upgrade() -> None:
    _make_studies()
    op.create_table(
        "clips",
        sa.Column("evaluation", sa.Text(), nullable=False),
        sa.Column("item", sa.Text(), nullable=False),
        sa.Column("seed", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("place", sa.Integer(), nullable=False),
        sa.Column("job_id", sa.Text(), nullable=False),
        sa.Column("identity", sa.Text(), nullable=False),
        sa.Column("cached", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("evaluation", "item", "seed"),
    )
    op.create_index("clips_in_order", "clips", ["evaluation", "place"], unique=True)
    op.create_index("ix_clips_job_id", "clips", ["job_id"])
    op.create_index("ix_clips_identity", "clips", ["identity"])
    op.create_table(
        "scorer_locks",
        sa.Column("quantity", sa.Text(), nullable=False),
        sa.Column("lock", sa.Text(), nullable=False),
        sa.Column("seen_at", sa.Double(), nullable=False),
        sa.PrimaryKeyConstraint("quantity"),
    )


def _make_studies() -> None:
    op.create_table(
        "studies",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("user", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("first_on", sa.Text(), nullable=True),
        sa.Column("second_on", sa.Text(), nullable=True),
        sa.Column("created_at", sa.Double(), nullable=False),
        sa.Column("pin", sa.Text(), nullable=True),
        sa.Column("lock_sha256", sa.Text(), nullable=True),
        sa.Column("suite", sa.Text(), nullable=True),
        sa.Column("suite_sha256", sa.Text(), nullable=True),
        sa.Column("canceled_at", sa.Double(), nullable=True),
        sa.Column("completed_at", sa.Double(), nullable=True),
        sa.Column("run_id", sa.Text(), nullable=True),
        sa.Column("run_url", sa.Text(), nullable=True),
        *_step("result"),
        sa.Column("result_lost", sa.Integer(), server_default="0", nullable=False),
        *_step("tracking"),
        sa.Column("tracking_since", sa.Double(), nullable=True),
        sa.Column("error", _JSON, nullable=True),
        sa.Column("outcome", _JSON, nullable=True),
        sa.Column("asked", _JSON, nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("studies_of_user", "studies", ["user", "kind", "id"])
    for step in ("result", "tracking"):
        due = sa.text(f"{step}_status = 'pending' AND {step}_due_at IS NOT NULL")
        held = sa.text(f"{step}_status = 'running'")
        columns = [f"{step}_due_at", "id"]
        op.create_index(f"studies_{step}_due", "studies", columns, postgresql_where=due, sqlite_where=due)
        columns = [f"{step}_lease_until"]
        op.create_index(f"studies_{step}_leases", "studies", columns, postgresql_where=held, sqlite_where=held)


def _step(name: str) -> list[sa.Column[Any]]:
    return [
        sa.Column(f"{name}_status", sa.Text(), nullable=False),
        sa.Column(f"{name}_attempt", sa.Integer(), server_default="0", nullable=False),
        sa.Column(f"{name}_holder", sa.Text(), nullable=True),
        sa.Column(f"{name}_lease_until", sa.Double(), nullable=True),
        sa.Column(f"{name}_due_at", sa.Double(), nullable=True),
    ]
