"""The tables. What changes here needs a migration (shared/store/migrations); a test holds the two equal."""

from __future__ import annotations

from sqlalchemy import (
    JSON,
    BigInteger,
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
UNFINISHED = or_(QUEUED, HELD)


def pending(facet: str, of: Table = jobs) -> ColumnElement[bool]:
    """The facet waits for a scorer, now or later."""
    return and_(of.c[f"{facet}_status"] == literal_column("'pending'"), of.c[f"{facet}_due_at"].is_not(None))


def running(facet: str, of: Table = jobs) -> ColumnElement[bool]:
    """A scorer holds the facet."""
    return of.c[f"{facet}_status"] == literal_column("'running'")


def _index_facets(of: Table, *facets: str) -> None:
    for facet in facets:
        due = text(f"{facet}_status = 'pending' AND {facet}_due_at IS NOT NULL")
        held = text(f"{facet}_status = 'running'")
        Index(f"{of}_{facet}_due", of.c[f"{facet}_due_at"], of.c.id, postgresql_where=due, sqlite_where=due)
        Index(f"{of}_{facet}_leases", of.c[f"{facet}_lease_until"], postgresql_where=held, sqlite_where=held)


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
_index_facets(jobs, "scoring", "tracking")

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

studies = Table(
    "studies",
    metadata,
    Column("id", Text, primary_key=True),
    Column("user", Text, nullable=False),
    Column("kind", Text, nullable=False),
    Column("first_on", Text),  # what it stands on
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
    Column("result_lost", Integer, nullable=False, server_default="0"),  # attempts that came to nothing
    Column("tracking_status", Text, nullable=False),
    Column("tracking_attempt", Integer, nullable=False, server_default="0"),
    Column("tracking_holder", Text),
    Column("tracking_lease_until", Double),
    Column("tracking_due_at", Double),
    Column("tracking_since", Double),  # first tried: start of the retry budget
    # Large ones last: SQLite reads a row from its beginning.
    Column("error", _Json),
    Column("outcome", _Json),
    Column("asked", _Json, nullable=False),
)
Index("studies_of_user", studies.c.user, studies.c.kind, studies.c.id)
_index_facets(studies, "result", "tracking")

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
