"""Rows of `jobs` to jobs and back, and the changes that several sides of the store make."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from sqlalchemy import Connection, RowMapping, case, update

from shared.errors import FailureCode
from shared.fairness import window_at
from shared.jobs import Facet, FacetStatus, Job, JobError, NewJob, Piece, SpeechInput, Spoken, Status
from shared.scores import scored_from_json
from shared.store.sql.schema import jobs, usage


def row_of(new: NewJob) -> dict[str, Any]:
    """The row that a new job is inserted as."""
    row = {name: getattr(new, name) for name in NewJob.__slots__}
    row["input"] = new.input.to_json()
    row["controls"] = dict(new.controls)
    row["metadata"] = dict(new.metadata)
    row["asked"] = dict(new.asked)
    row["status"] = Status.QUEUED.value
    row["scoring_status"] = (FacetStatus.PENDING if new.input.score else FacetStatus.SKIPPED).value
    row["tracking_status"] = FacetStatus.PENDING.value
    return row


def _facet(row: RowMapping, name: str) -> Facet:
    return Facet(
        FacetStatus(row[f"{name}_status"]),
        row[f"{name}_attempt"],
        row[f"{name}_holder"],
        row[f"{name}_lease_until"],
        row[f"{name}_due_at"],
    )


def audio_to_json(audio: Spoken) -> dict[str, Any]:
    return asdict(audio)


def _audio(data: Mapping[str, Any]) -> Spoken:
    return Spoken(**{**data, "pieces": tuple(Piece(**piece) for piece in data["pieces"])})


def job_of(row: RowMapping) -> Job:
    """The job in a row of `jobs`."""
    return Job(
        **{name: row[name] for name in _AS_THEY_ARE},
        input=SpeechInput.from_json(row["input"]),
        status=Status(row["status"]),
        scoring=_facet(row, "scoring"),
        tracking=_facet(row, "tracking"),
        error=JobError(FailureCode(row["error"]["code"]), row["error"]["message"]) if row["error"] else None,
        audio=_audio(row["audio"]) if row["audio"] else None,
        progress=(row["pieces_done"], row["pieces"]) if row["pieces"] else None,
        timings=row["timings"] or {},
        scores={name: scored_from_json(value) for name, value in (row["scores"] or {}).items()},
    )


_AS_THEY_ARE = (
    "id", "user", "pin", "engine", "lock_sha256", "asked", "controls", "metadata", "priority", "created_at",
    "expires_at", "timeout_s", "estimated_s", "attempt", "worker", "lease_until", "cancel_requested", "started_at",
    "completed_at", "environment", "scorers_lock", "run_id", "run_url",
)  # fmt: skip


def ended(status: Status, now: float, error: JobError | None = None) -> dict[str, Any]:
    """Values of a job that is over without audio: nothing to score; tracked only if it was ever started."""
    started = jobs.c.started_at.is_not(None)
    return {
        "status": status.value,
        "completed_at": now,
        "lease_until": None,
        "error": {"code": error.code.value, "message": error.message} if error else None,
        "scoring_status": FacetStatus.SKIPPED.value,
        "tracking_status": case((started, FacetStatus.PENDING.value), else_=FacetStatus.SKIPPED.value),
        "tracking_due_at": case((started, now), else_=None),
        "tracking_since": now,
    }


def queued_again() -> dict[str, Any]:
    """Values of a job that goes back to the queue."""
    return {"status": Status.QUEUED.value, "lease_until": None, "worker": None}


def charge(connection: Connection, user: str, audio_s: float, now: float) -> None:
    """Add to (or, negative, take back from) what a user was given in the current fairness window."""
    if math.isclose(audio_s, 0.0):
        return
    window = window_at(now)
    spent = case((usage.c.window == window, usage.c.audio_s), else_=0.0) + audio_s
    connection.execute(
        update(usage).where(usage.c.user == user).values(window=window, audio_s=case((spent > 0, spent), else_=0.0))
    )
