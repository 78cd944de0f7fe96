"""The tables. What changes here needs a migration (shared/store/migrations); a test holds the two equal."""

from __future__ import annotations

from sqlalchemy import (
    JSON,
    Boolean,
    Column,
    ColumnElement,
    Double,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    Table,
    Text,
    and_,
    literal_column,
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
    Column("free_attempts", Integer, nullable=False, server_default="0"),  # handed back, not lost
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
)

_QUEUED = text("status = 'queued'")
_HELD = text("status IN ('starting', 'processing')")

# Conditions as literals, not bound values: only then can a planner see that a partial index covers them.
QUEUED = jobs.c.status == literal_column("'queued'")
HELD = jobs.c.status.in_([literal_column("'starting'"), literal_column("'processing'")])


def pending(facet: str) -> ColumnElement[bool]:
    """The facet waits for a scorer, now or later."""
    return and_(jobs.c[f"{facet}_status"] == literal_column("'pending'"), jobs.c[f"{facet}_due_at"].is_not(None))


def running(facet: str) -> ColumnElement[bool]:
    """A scorer holds the facet."""
    return jobs.c[f"{facet}_status"] == literal_column("'running'")


Index(
    "jobs_queue",
    jobs.c.engine,
    jobs.c.user,
    jobs.c.pin,
    jobs.c.priority.desc(),
    jobs.c.id,
    postgresql_where=_QUEUED,
    sqlite_where=_QUEUED,
)
Index("jobs_expiry", jobs.c.expires_at, postgresql_where=_QUEUED, sqlite_where=_QUEUED)
Index("jobs_leases", jobs.c.lease_until, postgresql_where=_HELD, sqlite_where=_HELD)
Index("jobs_of_user", jobs.c.user, jobs.c.id)
for _facet in ("scoring", "tracking"):
    _PENDING = text(f"{_facet}_status = 'pending' AND {_facet}_due_at IS NOT NULL")
    _RUNNING = text(f"{_facet}_status = 'running'")
    Index(f"jobs_{_facet}_due", jobs.c[f"{_facet}_due_at"], jobs.c.id, postgresql_where=_PENDING, sqlite_where=_PENDING)
    Index(f"jobs_{_facet}_leases", jobs.c[f"{_facet}_lease_until"], postgresql_where=_RUNNING, sqlite_where=_RUNNING)

usage = Table(
    "usage",
    metadata,
    Column("user", Text, primary_key=True),
    Column("window", Integer, nullable=False),
    Column("audio_s", Double, nullable=False),
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
