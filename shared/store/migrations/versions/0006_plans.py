"""Lists, claims and the turns of scorers find what they need by an index each.

Takes about a minute and a half for a million jobs, and about as long for their metadata.
"""

from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa
from alembic import op

from shared.store.sql.tables.pairs import pairs_of

revision = "0006"
down_revision = "0005"

_FINISHED = "status IN ('succeeded', 'failed', 'canceled', 'expired')"
_STEPS = (("jobs", "scoring"), ("jobs", "tracking"), ("studies", "result"), ("studies", "tracking"))
_AT_ONCE = 5000


def upgrade() -> None:
    for table, step in _STEPS:
        op.drop_index(f"{table}_{step}_due", table)
        due = f"{step}_status = 'pending' AND {step}_due_at IS NOT NULL"
        _index(f"{table}_{step}_due", table, ["user", f"{step}_due_at", "id"], due)
    op.drop_index("jobs_expiry", "jobs")
    op.drop_index("jobs_queue", "jobs")
    in_line = ["engine", "user", "pin", sa.literal_column("priority DESC"), "id", "expires_at"]
    _index("jobs_queue", "jobs", in_line, "status = 'queued'")
    op.drop_index("jobs_of_user", "jobs")
    op.create_index("jobs_of_user", "jobs", ["user", "created_at", "id"])
    op.create_index("jobs_of_status", "jobs", ["user", "status", "created_at", "id"])
    known = f"{_FINISHED} OR scoring_status = 'skipped'"
    _index("jobs_of_scoring", "jobs", ["user", "scoring_status", "created_at", "id"], known)
    _index("jobs_of_pin", "jobs", ["user", "pin", "created_at", "id"], _FINISHED)
    _index("jobs_of_tracking", "jobs", ["user", "tracking_status", "created_at", "id"], _FINISHED)
    evaluations = {
        "pin": ["pin"],
        "suite": ["suite"],
        "pin_and_suite": ["pin", "suite"],
        "locks": ["lock_sha256", "suite_sha256"],
    }
    for name, by in evaluations.items():
        _index(f"studies_of_{name}", "studies", ["user", *by, "id"], "kind = 'evaluation'")
    _make_turns()
    _make_pairs()
    if op.get_bind().dialect.name == "postgresql":
        op.execute(
            "ALTER TABLE jobs SET (autovacuum_vacuum_scale_factor = 0.02, autovacuum_vacuum_insert_scale_factor = 0.02,"
            " autovacuum_analyze_scale_factor = 0.02)"
        )


def _index(name: str, table: str, columns: Sequence[Any], where: str) -> None:
    op.create_index(name, table, list(columns), postgresql_where=sa.text(where), sqlite_where=sa.text(where))


def _make_turns() -> None:
    op.create_table(
        "turns",
        sa.Column("work", sa.Text(), nullable=False),
        sa.Column("user", sa.Text(), nullable=False),
        sa.Column("window", sa.Integer(), nullable=False),
        sa.Column("taken", sa.Double(), nullable=False),
        sa.PrimaryKeyConstraint("work", "user"),
    )


def _make_pairs() -> None:
    pairs = op.create_table(
        "metadata_pairs",
        sa.Column("user", sa.Text(), nullable=False),
        sa.Column("pair", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("created_at", sa.Double(), nullable=False),
        sa.Column("id", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("user", "pair", "created_at", "id"),
        sqlite_with_rowid=False,
    )
    jobs = sa.table("jobs", *map(sa.column, ("id", "user", "created_at")), sa.column("metadata", sa.JSON()))
    page = sa.select(jobs).order_by(jobs.c.id).limit(_AT_ONCE)
    connection = op.get_bind()
    last = ""
    while found := connection.execute(page.where(jobs.c.id > last)).all():
        last = found[-1].id
        rows = [
            {"user": user, "pair": pair, "created_at": created_at, "id": id_}
            for id_, user, created_at, said in found
            for pair in pairs_of(said)
        ]
        if rows:
            connection.execute(sa.insert(pairs), rows)
