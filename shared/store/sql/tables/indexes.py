"""How rows of jobs and studies are found: indexes, and the conditions that lead a planner to them.

Owns that every filter of a list has an index in the order of its pages, and that a claim has only one index to use. A
change here needs a migration (shared/store/migrations); a test checks that the two are equal.
"""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, ColumnElement, Double, Index, Table, Text, literal_column, or_, text

from shared.store.sql.tables.schema import jobs, metadata, studies

_QUEUED = "status = 'queued'"
_HELD = "status IN ('starting', 'processing')"
_FINISHED = "status IN ('succeeded', 'failed', 'canceled', 'expired')"
_SCORING_KNOWN = f"{_FINISHED} OR scoring_status = 'skipped'"
_EVALUATION = "kind = 'evaluation'"

STILL_QUEUED = jobs.c.status.concat(literal_column("''")) == literal_column("'queued'")
"""Queued, for a row found by its id. Written so that the planner does not use an index of queued jobs."""

FINISHED = jobs.c.status.in_([literal_column(f"'{name}'") for name in ("succeeded", "failed", "canceled", "expired")])

SCORING_KNOWN = or_(FINISHED, jobs.c.scoring_status == literal_column("'skipped'"))
"""Finished, or never to be scored. A job that was just accepted is neither, so adding it costs no index entry."""

EVALUATION = studies.c.kind == literal_column("'evaluation'")


def _partial(name: str, where: str, *by: ColumnElement[object]) -> None:
    Index(name, *by, postgresql_where=text(where), sqlite_where=text(where))


def _index_facets(of: Table, *facets: str) -> None:
    for facet in facets:
        # User first: whose turn it is comes before what has been due longest.
        due = (of.c.user, of.c[f"{facet}_due_at"], of.c.id)
        _partial(f"{of}_{facet}_due", f"{facet}_status = 'pending' AND {facet}_due_at IS NOT NULL", *due)
        _partial(f"{of}_{facet}_leases", f"{facet}_status = 'running'", of.c[f"{facet}_lease_until"])


# The only index of queued jobs, so that a planner without statistics has no other to choose. The sweeper reads all of
# it, and finds the expired jobs in it.
_IN_LINE = (jobs.c.engine, jobs.c.user, jobs.c.pin, jobs.c.priority.desc(), jobs.c.id)
_partial("jobs_queue", _QUEUED, *_IN_LINE, jobs.c.expires_at)
_partial("jobs_leases", _HELD, jobs.c.lease_until)
_index_facets(jobs, "scoring", "tracking")

# The three partial indexes leave out jobs that wait; a list finds those by their status. Each index that a new job is
# not in saves time when it is accepted.
_PAGE = (jobs.c.created_at, jobs.c.id)
Index("jobs_of_user", jobs.c.user, *_PAGE)
Index("jobs_of_status", jobs.c.user, jobs.c.status, *_PAGE)
_partial("jobs_of_pin", _FINISHED, jobs.c.user, jobs.c.pin, *_PAGE)
_partial("jobs_of_scoring", _SCORING_KNOWN, jobs.c.user, jobs.c.scoring_status, *_PAGE)
_partial("jobs_of_tracking", _FINISHED, jobs.c.user, jobs.c.tracking_status, *_PAGE)

metadata_pairs = Table(
    "metadata_pairs",
    metadata,
    Column("user", Text, primary_key=True),
    Column("pair", BigInteger, primary_key=True, autoincrement=False),  # hash of key and value
    Column("created_at", Double, primary_key=True),
    Column("id", Text, primary_key=True),  # the job's id
    sqlite_with_rowid=False,
)
"""The metadata of jobs, one row per pair, by which lists are filtered. Written with a job, never changed."""

Index("studies_of_user", studies.c.user, studies.c.kind, studies.c.id)
_partial("studies_of_pin", _EVALUATION, studies.c.user, studies.c.pin, studies.c.id)
_partial("studies_of_suite", _EVALUATION, studies.c.user, studies.c.suite, studies.c.id)
_partial("studies_of_pin_and_suite", _EVALUATION, studies.c.user, studies.c.pin, studies.c.suite, studies.c.id)
_LOCKS = (studies.c.lock_sha256, studies.c.suite_sha256)
_partial("studies_of_locks", _EVALUATION, studies.c.user, *_LOCKS, studies.c.id)
_index_facets(studies, "result", "tracking")
