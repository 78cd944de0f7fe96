"""Conversion between rows of `jobs` and jobs, and the changes that several sides of the store make."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from operator import attrgetter
from typing import Any

from sqlalchemy import JSON, Connection, Double, RowMapping, bindparam, case, update

from shared.errors import FailureCode
from shared.jobs import Facet, FacetStatus, Job, JobError, NewJob, Piece, SpeechInput, Spoken, Status
from shared.scheduling.fairness import window_at
from shared.scores import scored_from_json
from shared.store.sql.connection.database import to_json
from shared.store.sql.tables.schema import jobs, usage
from shared.values.members import known

_DOCUMENTS = tuple(name for name in NewJob.__slots__ if isinstance(jobs.c[name].type, JSON))
_PLAIN = tuple(name for name in NewJob.__slots__ if name not in _DOCUMENTS)
_documents, _plain = attrgetter(*_DOCUMENTS), attrgetter(*_PLAIN)
_QUEUED, _PENDING, _SKIPPED = Status.QUEUED.value, FacetStatus.PENDING.value, FacetStatus.SKIPPED.value

NEW_COLUMNS = (*_PLAIN, *_DOCUMENTS, "status", "scoring_status", "tracking_status")
"""The columns that a new row names; the others have the defaults of the schema."""


_IN_COPY = (("\\", "\\\\"), ("\t", "\\t"), ("\n", "\\n"), ("\r", "\\r"))
_BETWEEN = "\0"  # text in PostgreSQL cannot contain this character


def values_of(new: NewJob) -> tuple[Any, ...]:
    """Return the row of a new job: the values of `NEW_COLUMNS`, with documents as JSON text."""
    scoring = _PENDING if new.input.score else _SKIPPED
    return (*_plain(new), *map(to_json, _documents(new)), _QUEUED, scoring, _PENDING)


def line_of(new: NewJob) -> str:
    """Return the row of a new job as a line for PostgreSQL's COPY."""
    return copied(values_of(new))


def copied(values: Iterable[object]) -> str:
    """Return a line of text for PostgreSQL's COPY."""
    line = _BETWEEN.join(map(str, values))
    for plain, escaped in _IN_COPY:
        line = line.replace(plain, escaped)
    return line.replace(_BETWEEN, "\t") + "\n"


def facet_in(row: RowMapping, name: str) -> Facet:
    """Return one facet of a job or a study from its row."""
    return Facet(
        FacetStatus(row[f"{name}_status"]),
        row[f"{name}_attempt"],
        row[f"{name}_holder"],
        row[f"{name}_lease_until"],
        row[f"{name}_due_at"],
    )


def _audio(data: Mapping[str, Any]) -> Spoken:
    pieces = tuple(Piece(**known(Piece, piece)) for piece in data["pieces"])
    return Spoken(**{**known(Spoken, data), "pieces": pieces, "batch": tuple(data.get("batch", ()))})


def job_of(row: RowMapping) -> Job:
    """Return the job in a row of `jobs`."""
    return Job(
        **{name: row[name] for name in _AS_THEY_ARE},
        input=SpeechInput.from_json(row["input"]),
        status=Status(row["status"]),
        scoring=facet_in(row, "scoring"),
        tracking=facet_in(row, "tracking"),
        error=JobError(FailureCode(row["error"]["code"]), row["error"]["message"]) if row["error"] else None,
        audio=_audio(row["audio"]) if row["audio"] else None,
        progress=(row["pieces_done"], row["pieces"]) if row["pieces"] is not None else None,
        timings=row["timings"] or {},
        scores={name: scored_from_json(value) for name, value in (row["scores"] or {}).items()},
    )


_AS_THEY_ARE = (
    "id", "user", "pin", "engine", "lock_sha256", "asked", "controls", "metadata", "priority", "created_at",
    "expires_at", "timeout_s", "estimated_s", "attempt", "worker", "lease_until", "cancel_requested", "started_at",
    "completed_at", "environment", "scorers_lock", "run_id", "run_url",
)  # fmt: skip


_STARTED = jobs.c.started_at.is_not(None)
_ENDED_AT = bindparam("ended_at", type_=Double)
ENDED = {
    "status": bindparam("ended_as"),
    "completed_at": _ENDED_AT,
    "lease_until": None,
    "error": bindparam("ended_with", type_=jobs.c.error.type),
    "scoring_status": FacetStatus.SKIPPED.value,
    "tracking_status": case((_STARTED, FacetStatus.PENDING.value), else_=FacetStatus.SKIPPED.value),
    "tracking_due_at": case((_STARTED, _ENDED_AT), else_=None),
}
"""Values of a job that ended without audio; ``how_it_ended`` binds them. It is tracked only if it was ever started."""

QUEUED_AGAIN = {"status": Status.QUEUED.value, "lease_until": None, "worker": None}
"""Values of a job that goes back to the queue."""


def how_it_ended(status: Status, now: float, error: JobError | None = None) -> dict[str, Any]:
    """Return the values that ``ENDED`` binds."""
    return {"ended_as": status.value, "ended_at": now, "ended_with": error}


Charged = tuple[str, float, float]
CHARGED = (jobs.c.user, jobs.c.estimated_s, jobs.c.started_at)
"""What ``settle`` needs to know of a job."""

_OF_USER = usage.c.user == bindparam("of_user")
_IN_WINDOW = usage.c.window == bindparam("in_window")
_MORE_S = bindparam("more_s", type_=Double)
_corrected = usage.c.audio_s + _MORE_S
_CHARGE = (
    update(usage)
    .where(_OF_USER)
    .values(window=bindparam("in_window"), audio_s=case((_IN_WINDOW, usage.c.audio_s), else_=0.0) + _MORE_S)
)
_SETTLE = update(usage).where(_OF_USER, _IN_WINDOW).values(audio_s=case((_corrected > 0, _corrected), else_=0.0))


def charge(connection: Connection, user: str, audio_s: float, now: float) -> None:
    """Charge the expected seconds of audio of a claimed job to its user."""
    connection.execute(_CHARGE, {"of_user": user, "in_window": window_at(now), "more_s": audio_s})


def settle(connection: Connection, claimed: Iterable[Charged], given_s: float) -> None:
    """Replace the estimates of ``claimed`` jobs (``CHARGED``) by the ``given_s`` seconds of audio that each gave.

    A charge in a window that is over needs no correction.
    """
    more: defaultdict[tuple[str, int], float] = defaultdict(float)
    for user, estimated_s, started_at in claimed:
        more[user, window_at(started_at)] += given_s - estimated_s
    rows = [{"of_user": user, "in_window": window, "more_s": s} for (user, window), s in more.items()]
    if rows:
        connection.execute(_SETTLE, rows)
