"""Conversion between rows of `studies` and `clips` and their values."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from sqlalchemy import Connection, RowMapping, insert

from shared.jobs import FacetStatus
from shared.store.sql.tables.rows import facet_in
from shared.store.sql.tables.schema import clips, studies
from shared.studies import Kind, NewStudy, Step, Study, StudyClip

_AS_THEY_ARE = (
    "id", "user", "asked", "created_at", "pin", "lock_sha256", "suite", "suite_sha256", "outcome", "error",
    "canceled_at", "completed_at", "run_id", "run_url",
)  # fmt: skip


def add_studies(connection: Connection, new: Sequence[NewStudy]) -> None:
    """Insert studies with their clips."""
    if new:
        connection.execute(insert(studies), [_row(study) for study in new])
    if rows := [row for study in new for row in _clip_rows(study)]:
        connection.execute(insert(clips), rows)


def _row(new: NewStudy) -> dict[str, Any]:
    assert len(new.stands_on) <= 2
    first_on, second_on = (*new.stands_on, None, None)[:2]
    return {
        "id": new.id,
        "user": new.user,
        "kind": new.kind.value,
        "asked": new.asked,
        "first_on": first_on,
        "second_on": second_on,
        "created_at": new.created_at,
        "pin": new.pin,
        "lock_sha256": new.lock_sha256,
        "suite": new.suite,
        "suite_sha256": new.suite_sha256,
        "result_status": FacetStatus.PENDING.value,
        "result_due_at": new.created_at,
        "tracking_status": FacetStatus.PENDING.value,
    }


def _clip_rows(new: NewStudy) -> Iterable[dict[str, Any]]:
    for place, clip in enumerate(new.clips):
        yield {
            "evaluation": new.id,
            "place": place,
            "item": clip.item,
            "seed": clip.seed,
            "job_id": clip.job_id,
            "identity": clip.identity,
            "cached": clip.cached,
        }


def study_of(row: RowMapping) -> Study:
    """Return the study in a row of `studies`. Raises `TypeError` if this version cannot read it."""
    if not isinstance(row["asked"], dict) or not isinstance(row["outcome"], dict | None):
        raise TypeError("asked and outcome must be objects")
    return Study(
        **{name: row[name] for name in _AS_THEY_ARE},
        kind=Kind(row["kind"]),
        stands_on=tuple(id_ for id_ in (row["first_on"], row["second_on"]) if id_ is not None),
        result=facet_in(row, Step.RESULT),
        tracking=facet_in(row, Step.TRACKING),
    )


def clip_of(row: RowMapping) -> StudyClip:
    """Return the clip in a row of `clips`."""
    return StudyClip(row["item"], row["seed"], row["job_id"], row["identity"], row["cached"])


def again(step: Step, due_at: float) -> dict[str, Any]:
    """Return the columns of a study whose ``step`` is pending again, due at ``due_at``."""
    return {f"{step}_status": FacetStatus.PENDING.value, f"{step}_lease_until": None, f"{step}_due_at": due_at}


def ended(status: FacetStatus, now: float) -> dict[str, Any]:
    """Return the columns of a study whose result is final."""
    return {
        "result_status": status.value,
        "result_lease_until": None,
        "completed_at": now,
        "tracking_due_at": now,
    }
