"""Jobs, their queue, pins and workers, environments, remembered requests, keys."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0001"
down_revision = None

_JSON = sa.JSON(none_as_null=True).with_variant(postgresql.JSONB(none_as_null=True), "postgresql")


def upgrade() -> None:
    op.create_table(
        "environments",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("description", _JSON, nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_table(
        "holds",
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("holder", sa.Text(), nullable=False),
        sa.Column("until", sa.Double(), nullable=False),
        sa.PrimaryKeyConstraint("name"),
    )
    op.create_table(
        "jobs",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("user", sa.Text(), nullable=False),
        sa.Column("pin", sa.Text(), nullable=False),
        sa.Column("engine", sa.Text(), nullable=False),
        sa.Column("lock_sha256", sa.Text(), nullable=False),
        sa.Column("asked", _JSON, nullable=False),
        sa.Column("input", _JSON, nullable=False),
        sa.Column("controls", _JSON, nullable=False),
        sa.Column("metadata", _JSON, nullable=False),
        sa.Column("priority", sa.Integer(), nullable=False),
        sa.Column("created_at", sa.Double(), nullable=False),
        sa.Column("expires_at", sa.Double(), nullable=False),
        sa.Column("timeout_s", sa.Double(), nullable=False),
        sa.Column("estimated_s", sa.Double(), nullable=False),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("attempt", sa.Integer(), server_default="0", nullable=False),
        sa.Column("free_attempts", sa.Integer(), server_default="0", nullable=False),
        sa.Column("worker", sa.Text(), nullable=True),
        sa.Column("lease_until", sa.Double(), nullable=True),
        sa.Column("cancel_requested", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.Column("started_at", sa.Double(), nullable=True),
        sa.Column("completed_at", sa.Double(), nullable=True),
        sa.Column("error", _JSON, nullable=True),
        sa.Column("audio", _JSON, nullable=True),
        sa.Column("pieces_done", sa.Integer(), nullable=True),
        sa.Column("pieces", sa.Integer(), nullable=True),
        sa.Column("timings", _JSON, nullable=True),
        sa.Column("environment", sa.Text(), nullable=True),
        sa.Column("scores", _JSON, nullable=True),
        sa.Column("scorers_lock", sa.Text(), nullable=True),
        sa.Column("run_id", sa.Text(), nullable=True),
        sa.Column("run_url", sa.Text(), nullable=True),
        sa.Column("scoring_status", sa.Text(), nullable=False),
        sa.Column("scoring_attempt", sa.Integer(), server_default="0", nullable=False),
        sa.Column("scoring_holder", sa.Text(), nullable=True),
        sa.Column("scoring_lease_until", sa.Double(), nullable=True),
        sa.Column("scoring_due_at", sa.Double(), nullable=True),
        sa.Column("tracking_status", sa.Text(), nullable=False),
        sa.Column("tracking_attempt", sa.Integer(), server_default="0", nullable=False),
        sa.Column("tracking_holder", sa.Text(), nullable=True),
        sa.Column("tracking_lease_until", sa.Double(), nullable=True),
        sa.Column("tracking_due_at", sa.Double(), nullable=True),
        sa.Column("tracking_since", sa.Double(), nullable=True),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index(
        "jobs_expiry",
        "jobs",
        ["expires_at"],
        unique=False,
        postgresql_where=sa.text("status = 'queued'"),
        sqlite_where=sa.text("status = 'queued'"),
    )
    op.create_index(
        "jobs_leases",
        "jobs",
        ["lease_until"],
        unique=False,
        postgresql_where=sa.text("status IN ('starting', 'processing')"),
        sqlite_where=sa.text("status IN ('starting', 'processing')"),
    )
    op.create_index("jobs_of_user", "jobs", ["user", "id"], unique=False)
    op.create_index(
        "jobs_queue",
        "jobs",
        ["engine", "user", "pin", sa.literal_column("priority DESC"), "id"],
        unique=False,
        postgresql_where=sa.text("status = 'queued'"),
        sqlite_where=sa.text("status = 'queued'"),
    )
    op.create_index(
        "jobs_scoring_due",
        "jobs",
        ["scoring_due_at", "id"],
        unique=False,
        postgresql_where=sa.text("scoring_status = 'pending' AND scoring_due_at IS NOT NULL"),
        sqlite_where=sa.text("scoring_status = 'pending' AND scoring_due_at IS NOT NULL"),
    )
    op.create_index(
        "jobs_scoring_leases",
        "jobs",
        ["scoring_lease_until"],
        unique=False,
        postgresql_where=sa.text("scoring_status = 'running'"),
        sqlite_where=sa.text("scoring_status = 'running'"),
    )
    op.create_index(
        "jobs_tracking_due",
        "jobs",
        ["tracking_due_at", "id"],
        unique=False,
        postgresql_where=sa.text("tracking_status = 'pending' AND tracking_due_at IS NOT NULL"),
        sqlite_where=sa.text("tracking_status = 'pending' AND tracking_due_at IS NOT NULL"),
    )
    op.create_index(
        "jobs_tracking_leases",
        "jobs",
        ["tracking_lease_until"],
        unique=False,
        postgresql_where=sa.text("tracking_status = 'running'"),
        sqlite_where=sa.text("tracking_status = 'running'"),
    )
    op.create_table(
        "keys",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("user", sa.Text(), nullable=False),
        sa.Column("secret_sha256", sa.Text(), nullable=False),
        sa.Column("created_at", sa.Double(), nullable=False),
        sa.Column("expires_at", sa.Double(), nullable=True),
        sa.Column("revoked_at", sa.Double(), nullable=True),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_table(
        "pins",
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("engine", sa.Text(), nullable=False),
        sa.Column("manifest", _JSON, nullable=False),
        sa.Column("served_at", sa.Double(), nullable=False),
        sa.PrimaryKeyConstraint("name"),
    )
    op.create_table(
        "requests",
        sa.Column("scope", sa.Text(), nullable=False),
        sa.Column("fingerprint", sa.Text(), nullable=False),
        sa.Column("job_id", sa.Text(), nullable=True),
        sa.Column("status", sa.Integer(), nullable=False),
        sa.Column("body", sa.LargeBinary(), nullable=False),
        sa.Column("created_at", sa.Double(), nullable=False),
        sa.PrimaryKeyConstraint("scope"),
    )
    op.create_index("ix_requests_created_at", "requests", ["created_at"], unique=False)
    op.create_table(
        "usage",
        sa.Column("user", sa.Text(), nullable=False),
        sa.Column("window", sa.Integer(), nullable=False),
        sa.Column("audio_s", sa.Double(), nullable=False),
        sa.PrimaryKeyConstraint("user"),
    )
    op.create_table(
        "workers",
        sa.Column("worker", sa.Text(), nullable=False),
        sa.Column("pin", sa.Text(), nullable=False),
        sa.Column("seen_at", sa.Double(), nullable=False),
        sa.ForeignKeyConstraint(
            ["pin"],
            ["pins.name"],
        ),
        sa.PrimaryKeyConstraint("worker", "pin"),
    )
