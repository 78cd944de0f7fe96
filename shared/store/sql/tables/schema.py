"""The tables. Their indexes are in `indexes.py`.

A change here needs a migration (shared/store/migrations); a test checks that the two are equal.
"""

from __future__ import annotations

from sqlalchemy import (
    JSON,
    BigInteger,
    Boolean,
    Column,
    ColumnElement,
    Double,
    ForeignKey,
    FromClause,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    Table,
    Text,
    and_,
    literal_column,
    or_,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB

metadata = MetaData()
_Json = JSON(none_as_null=True).with_variant(JSONB(none_as_null=True), "postgresql")

jobs = Table(
    "jobs",
    metadata,
    Column("id", Text, primary_key=True),
    Column("user", Text, nullable=False),
    Column("pin", Text, nullable=False),
    Column("engine", Text, nullable=False),
    Column("lock_sha256", Text, nullable=False),
    Column("asked", _Json, nullable=False),
    Column("input", _Json, nullable=False),
    Column("controls", _Json, nullable=False),
    Column("metadata", _Json, nullable=False),
    Column("priority", Integer, nullable=False),
    Column("created_at", Double, nullable=False),
    Column("expires_at", Double, nullable=False),
    Column("timeout_s", Double, nullable=False),
    Column("estimated_s", Double, nullable=False),
    Column("status", Text, nullable=False),
    Column("attempt", Integer, nullable=False, server_default="0"),
    Column("free_attempts", Integer, nullable=False, server_default="0"),  # attempts that do not count against it
    Column("failed_on", Text),  # |worker|worker|: those that failed it and passed it on
    Column("passed_on_at", Double),
    Column("worker", Text),
    Column("lease_until", Double),
    Column("cancel_requested", Boolean, nullable=False, server_default=text("false")),
    Column("started_at", Double),
    Column("completed_at", Double),
    Column("error", _Json),
    Column("audio", _Json),
    Column("pieces_done", Integer),
    Column("pieces", Integer),
    Column("timings", _Json),
    Column("environment", Text),
    Column("scores", _Json),
    Column("scorers_lock", Text),
    Column("run_id", Text),
    Column("run_url", Text),
    Column("scoring_status", Text, nullable=False),
    Column("scoring_attempt", Integer, nullable=False, server_default="0"),
    Column("scoring_holder", Text),
    Column("scoring_lease_until", Double),
    Column("scoring_due_at", Double),
    Column("tracking_status", Text, nullable=False),
    Column("tracking_attempt", Integer, nullable=False, server_default="0"),
    Column("tracking_holder", Text),
    Column("tracking_lease_until", Double),
    Column("tracking_due_at", Double),
    Column("tracking_since", Double),  # first tried: start of the retry budget
    Column("lapses", Integer, nullable=False, server_default="0"),  # those of free_attempts that ended with the lease
    # Vacuum a table of millions after 2 % of changes, not 20 %: its partial indexes cover only what waits, and must
    # stay that small.
    postgresql_with={
        "autovacuum_vacuum_scale_factor": "0.02",
        "autovacuum_vacuum_insert_scale_factor": "0.02",
        "autovacuum_analyze_scale_factor": "0.02",
    },
)

# Conditions are literals, not bound values: only then can a planner see that a partial index covers them.
QUEUED = jobs.c.status == literal_column("'queued'")
HELD = jobs.c.status.in_([literal_column("'starting'"), literal_column("'processing'")])
UNFINISHED = or_(QUEUED, HELD)


def pending(facet: str, of: FromClause = jobs) -> ColumnElement[bool]:
    """Return the condition that the facet waits for a scorer, now or later."""
    return and_(of.c[f"{facet}_status"] == literal_column("'pending'"), of.c[f"{facet}_due_at"].is_not(None))


def running(facet: str, of: Table = jobs) -> ColumnElement[bool]:
    """Return the condition that a scorer holds the facet."""
    return of.c[f"{facet}_status"] == literal_column("'running'")


usage = Table(
    "usage",
    metadata,
    Column("user", Text, primary_key=True),
    Column("window", Integer, nullable=False),
    Column("audio_s", Double, nullable=False),
)

turns = Table(
    "turns",
    metadata,
    Column("work", Text, primary_key=True),  # of scorers: a facet of jobs or a step of studies
    Column("user", Text, primary_key=True),
    Column("window", Integer, nullable=False),
    Column("taken", Double, nullable=False),
)

pins = Table(
    "pins",
    metadata,
    Column("name", Text, primary_key=True),
    Column("engine", Text, nullable=False),
    Column("manifest", _Json, nullable=False),
    Column("served_at", Double, nullable=False),
)

workers = Table(
    "workers",
    metadata,
    Column("worker", Text, primary_key=True),
    Column("pin", Text, ForeignKey("pins.name"), primary_key=True),
    Column("seen_at", Double, nullable=False),
)

environments = Table(
    "environments",
    metadata,
    Column("id", Text, primary_key=True),
    Column("description", _Json, nullable=False),
)

requests = Table(
    "requests",
    metadata,
    Column("scope", Text, primary_key=True),
    Column("fingerprint", Text, nullable=False),
    Column("job_id", Text),
    Column("status", Integer, nullable=False),
    Column("body", LargeBinary, nullable=False),
    Column("created_at", Double, nullable=False, index=True),
)

holds = Table(
    "holds",
    metadata,
    Column("name", Text, primary_key=True),
    Column("holder", Text, nullable=False),
    Column("until", Double, nullable=False),
)

keys = Table(
    "keys",
    metadata,
    Column("id", Text, primary_key=True),
    Column("user", Text, nullable=False),
    Column("secret_sha256", Text, nullable=False),
    Column("created_at", Double, nullable=False),
    Column("expires_at", Double),
    Column("revoked_at", Double),
)

alias_moves = Table(
    "alias_moves",
    metadata,
    Column("model", Text, primary_key=True),
    Column("word", Text, primary_key=True),
    Column("number", Integer, primary_key=True, autoincrement=False),
    Column("kind", Text, nullable=False),
    Column("pin", Text, nullable=False),
    Column("previous", Text),
    Column("weight", Double, nullable=False),
    Column("by", Text, nullable=False),
    Column("reason", Text, nullable=False),
    Column("at", Double, nullable=False),
)

voices = Table(
    "voices",
    metadata,
    Column("id", Text, primary_key=True),
    Column("user", Text, nullable=False),
    Column("name", Text),
    Column("pcm_sha256", Text, nullable=False),
    Column("sample_rate", Integer, nullable=False),
    Column("duration_s", Double, nullable=False),
    Column("consent_by", Text, nullable=False),
    Column("consent_at", Double, nullable=False),
    Column("consent_text", Text, nullable=False),
    Column("created_at", Double, nullable=False),
)
Index("voices_of_user", voices.c.user, voices.c.id)
Index("voices_of_recording", voices.c.pcm_sha256)

studies = Table(
    "studies",
    metadata,
    Column("id", Text, primary_key=True),
    Column("user", Text, nullable=False),
    Column("kind", Text, nullable=False),
    Column("first_on", Text),  # ids of the studies that it depends on
    Column("second_on", Text),
    Column("created_at", Double, nullable=False),
    Column("pin", Text),
    Column("lock_sha256", Text),
    Column("suite", Text),
    Column("suite_sha256", Text),
    Column("canceled_at", Double),
    Column("completed_at", Double),
    Column("run_id", Text),
    Column("run_url", Text),
    Column("result_status", Text, nullable=False),
    Column("result_attempt", Integer, nullable=False, server_default="0"),
    Column("result_holder", Text),
    Column("result_lease_until", Double),
    Column("result_due_at", Double),
    Column("result_lost", Integer, nullable=False, server_default="0"),  # attempts that could not compute the result
    Column("tracking_status", Text, nullable=False),
    Column("tracking_attempt", Integer, nullable=False, server_default="0"),
    Column("tracking_holder", Text),
    Column("tracking_lease_until", Double),
    Column("tracking_due_at", Double),
    Column("tracking_since", Double),  # first tried: start of the retry budget
    # Large columns last: SQLite reads a row from its beginning.
    Column("error", _Json),
    Column("outcome", _Json),
    Column("asked", _Json, nullable=False),
)

clips = Table(
    "clips",
    metadata,
    Column("evaluation", Text, primary_key=True),
    Column("item", Text, primary_key=True),
    Column("seed", BigInteger, primary_key=True, autoincrement=False),
    Column("place", Integer, nullable=False),
    Column("job_id", Text, nullable=False, index=True),
    Column("identity", Text, nullable=False, index=True),
    Column("cached", Boolean, nullable=False),
)
Index("clips_in_order", clips.c.evaluation, clips.c.place, unique=True)

scorer_locks = Table(
    "scorer_locks",
    metadata,
    Column("quantity", Text, primary_key=True),
    Column("lock", Text, nullable=False),
    Column("seen_at", Double, nullable=False),
)
