"""Studies in SQL as the gateway uses them: read, search for clips that can be used again, cancel."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from sqlalchemy import BindParameter, Connection, RowMapping, bindparam, false, func, select, true, update
from sqlalchemy.dialects import postgresql, sqlite

from shared.jobs import FacetStatus, Status
from shared.store.sql.choosing import choice
from shared.store.sql.connection.database import Database
from shared.store.sql.tables.indexes import EVALUATION, STILL_QUEUED
from shared.store.sql.tables.reading import read_or_none, read_page, readable
from shared.store.sql.tables.rows import ENDED, how_it_ended
from shared.store.sql.tables.schema import HELD, UNFINISHED, clips, jobs, scorer_locks, studies
from shared.store.sql.tables.study_rows import clip_of, study_of
from shared.studies import (
    MOST_TAKES,
    OVER,
    Kind,
    SpokenBefore,
    Study,
    StudyClip,
    StudyFilter,
    StudyProgress,
    StudyState,
)

_IDS: BindParameter[str] = bindparam("ids", expanding=True)
_GET = select(studies).where(studies.c.id.in_(_IDS))
_STATES = select(studies.c.id, studies.c.user, studies.c.kind, studies.c.result_status).where(studies.c.id.in_(_IDS))
_CLIPS = select(clips).where(clips.c.evaluation == bindparam("of_study")).order_by(clips.c.place)

_OVER = [status.value for status in OVER]
_FINISHED = ~UNFINISHED
_PROGRESS = (
    select(
        clips.c.evaluation,
        func.count(),
        func.count().filter(clips.c.cached == true()),
        func.count().filter(jobs.c.status == Status.SUCCEEDED.value),
        func.count().filter(_FINISHED, jobs.c.scoring_status.in_(_OVER)),
        func.count().filter(_FINISHED, jobs.c.tracking_status.in_(_OVER)),
        func.count().filter(_FINISHED, jobs.c.status != Status.SUCCEEDED.value),
    )
    .select_from(clips.join(jobs, jobs.c.id == clips.c.job_id))
    .where(clips.c.evaluation.in_(_IDS))
    .group_by(clips.c.evaluation)
)

_takes = (
    select(
        clips.c.identity,
        clips.c.job_id,
        func.row_number().over(partition_by=clips.c.identity, order_by=clips.c.job_id.desc()).label("number"),
    )
    .select_from(clips.join(jobs, jobs.c.id == clips.c.job_id))
    .where(
        clips.c.identity.in_(bindparam("identities", expanding=True)),
        clips.c.cached == false(),
        jobs.c.user == bindparam("of_user"),
        jobs.c.status == Status.SUCCEEDED.value,
        jobs.c.scoring_status.in_([FacetStatus.DONE.value, FacetStatus.SKIPPED.value]),
    )
    .subquery("takes")
)
_SPOKEN_BEFORE = (
    select(_takes.c.identity, jobs.c.id, jobs.c.environment, jobs.c.scores)
    .select_from(_takes.join(jobs, jobs.c.id == _takes.c.job_id))
    .where(_takes.c.number <= MOST_TAKES)
    .order_by(_takes.c.number)
)

_ONE = studies.c.id == bindparam("of_study")
_LOCKED = select(studies).where(_ONE).with_for_update()
_CANCEL = update(studies).where(_ONE).returning(studies)
_OWN_UNFINISHED = (
    select(jobs.c.id)
    .select_from(clips.join(jobs, jobs.c.id == clips.c.job_id))
    .where(clips.c.evaluation == bindparam("of_study"), clips.c.cached == false(), UNFINISHED)
    .with_for_update(of=jobs)
)
_THESE = jobs.c.id.in_(_IDS)
_CANCEL_QUEUED = update(jobs).where(_THESE, STILL_QUEUED).values(ENDED)
_CANCEL_HELD = update(jobs).where(_THESE, HELD).values(cancel_requested=True)


class StudyGatewaySide:
    """See ``shared.studies.StudyStore``."""

    def __init__(self, database: Database) -> None:
        self._db = database
        self._insert_new = sqlite.insert if database.is_sqlite else postgresql.insert

    def get(self, ids: Iterable[str]) -> dict[str, Study]:
        with self._db.read() as connection:
            rows = connection.execute(_GET, {"ids": list(ids)}).mappings()
            return {study.id: study for study in readable(rows, study_of)}

    def states(self, ids: Iterable[str]) -> dict[str, StudyState]:
        with self._db.read() as connection:
            rows = connection.execute(_STATES, {"ids": list(ids)})
            return {id_: StudyState(user, Kind(kind), FacetStatus(status) in OVER) for id_, user, kind, status in rows}

    def find(self, wanted: StudyFilter) -> list[Study]:
        def rows_of(before: str | None, limit: int) -> Sequence[RowMapping]:
            return self._found(replace(wanted, before=before, limit=limit))

        return read_page(rows_of, study_of, wanted.before, wanted.limit)

    def _found(self, wanted: StudyFilter) -> Sequence[RowMapping]:
        of_user = (studies.c.user == wanted.user, studies.c.kind == wanted.kind.value)
        query = select(studies).where(*of_user).order_by(studies.c.id.desc()).limit(wanted.limit)
        exact = {name: getattr(wanted, name) for name in ("pin", "suite", "lock_sha256", "suite_sha256")}
        asked = [studies.c[name] == value for name, value in exact.items() if value is not None]
        if asked:  # only evaluations have these, and the indexes by them cover only evaluations
            query = query.where(EVALUATION, *asked)
        if wanted.before is not None:
            query = query.where(studies.c.id < wanted.before)
        with self._db.read() as connection:
            return connection.execute(query).mappings().all()

    def clips(self, evaluation_id: str) -> list[StudyClip]:
        with self._db.read() as connection:
            return [clip_of(row) for row in connection.execute(_CLIPS, {"of_study": evaluation_id}).mappings()]

    def progress(self, ids: Iterable[str]) -> dict[str, StudyProgress]:
        with self._db.read() as connection:
            rows = connection.execute(_PROGRESS, {"ids": list(ids)})
            return {evaluation: StudyProgress(*counts) for evaluation, *counts in rows}

    def spoken_before(self, user: str, identities: Iterable[str]) -> dict[str, list[SpokenBefore]]:
        found: defaultdict[str, list[SpokenBefore]] = defaultdict(list)
        with self._db.read() as connection:
            wanted = {"of_user": user, "identities": list(identities)}
            for identity, job_id, environment, scores in connection.execute(_SPOKEN_BEFORE, wanted):
                found[identity].append(SpokenBefore(job_id, environment, _locks(scores or {})))
        return dict(found)

    def scorer_locks(self) -> Mapping[str, str]:
        with self._db.read() as connection:
            return dict(connection.execute(select(scorer_locks.c.quantity, scorer_locks.c.lock)).all())

    def cancel(self, study_id: str, now: float) -> Study | None:
        with self._db.durable_write() as connection:
            choice.one_at_a_time(connection)  # like the sweeper, it writes many jobs at once
            row = connection.execute(_LOCKED, {"of_study": study_id}).mappings().one_or_none()
            if row is None or row["result_status"] in _OVER:
                return read_or_none(row, study_of) if row is not None else None
            _cancel_clips(connection, study_id, now)
            canceled = {"of_study": study_id, **_canceled(Kind(row["kind"]), now)}
            return read_or_none(connection.execute(_CANCEL, canceled).mappings().one(), study_of)


def _cancel_clips(connection: Connection, evaluation_id: str, now: float) -> None:
    unfinished = connection.execute(_OWN_UNFINISHED, {"of_study": evaluation_id}).scalars().all()
    if not unfinished:
        return
    connection.execute(_CANCEL_QUEUED, {"ids": unfinished, **how_it_ended(Status.CANCELED, now)})
    connection.execute(_CANCEL_HELD, {"ids": unfinished})


def _canceled(kind: Kind, now: float) -> dict[str, Any]:
    tracking: dict[str, Any] = {"tracking_due_at": now}
    if kind is not Kind.EVALUATION:  # MLflow has nothing of it to correct
        tracking = {"tracking_status": FacetStatus.SKIPPED.value}
    return {
        "canceled_at": now,
        "completed_at": now,
        "result_status": FacetStatus.SKIPPED.value,
        "result_lease_until": None,
        **tracking,
    }


def _locks(scores: Mapping[str, Mapping[str, Any]]) -> dict[str, str]:
    return {quantity: score["scorer_lock"] for quantity, score in scores.items() if "scorer_lock" in score}
