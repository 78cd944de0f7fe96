"""Studies in SQL as scorers use them: claim and finish their steps, fenced by the step's own attempt."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from sqlalchemy import Double, and_, bindparam, false, func, select, update

from shared.jobs import MAX_ATTEMPTS, FacetStatus
from shared.store.sql.choosing.study_readiness import any_due
from shared.store.sql.choosing.turns import Turns
from shared.store.sql.studies.study_gateway import StudyGatewaySide
from shared.store.sql.tables.reading import LEAVE_S, read_or_none
from shared.store.sql.tables.schema import clips, running, scorer_locks, studies
from shared.store.sql.tables.study_rows import again, ended, study_of
from shared.studies import Home, Step, Study

_TURNS = {step: Turns(studies, step) for step in Step}
_ONE = studies.c.id == bindparam("of_study")
_CLAIM = {
    step: update(studies)
    .where(_ONE)
    .values({f"{step}_status": FacetStatus.RUNNING.value, f"{step}_attempt": studies.c[f"{step}_attempt"] + 1})
    .returning(studies)
    for step in Step
}
_BUDGET_BEGINS = {"tracking_since": func.coalesce(studies.c.tracking_since, bindparam("now", type_=Double))}
_CLAIM[Step.TRACKING] = _CLAIM[Step.TRACKING].values(_BUDGET_BEGINS)

# Only the holder of this attempt may write: a scorer that lost its lease matches no row.
_MINE = {
    step: and_(_ONE, studies.c[f"{step}_attempt"] == bindparam("of_attempt"), running(step, studies)) for step in Step
}
_WRITE = {step: update(studies).where(_MINE[step]) for step in Step}
_LOST_BEFORE = select(studies.c.result_lost).where(_MINE[Step.RESULT]).with_for_update()
_LOSE = _WRITE[Step.RESULT].returning(studies)
_KEEP_RUN = update(studies).where(_ONE, studies.c.run_id.is_(None))
_DROP_RUN = update(studies).where(_ONE, studies.c.run_id == bindparam("of_run")).values(run_id=None, run_url=None)
_RUN = select(studies.c.run_id, studies.c.run_url).where(_ONE)
_HOMES = (
    select(clips.c.job_id, studies.c.id, clips.c.item, studies.c.suite, studies.c.suite_sha256)
    .select_from(clips.join(studies, studies.c.id == clips.c.evaluation))
    .where(clips.c.job_id.in_(bindparam("ids", expanding=True)), clips.c.cached == false())
)


class StudyScorerSide(StudyGatewaySide):
    """See ``shared.studies.StudyStore``."""

    def claim(self, step: Step, holder: str, lease_s: float, now: float) -> Study | None:
        taken = {f"{step}_holder": holder, f"{step}_lease_until": now + lease_s}
        while True:
            with self._db.write() as connection:
                chosen = _TURNS[step].take(connection, now)
                if not chosen:
                    return None
                row = connection.execute(_CLAIM[step], {"of_study": chosen[0], "now": now, **taken}).mappings().one()
                study = read_or_none(row, study_of)
                if study is not None:
                    return study
                not_tried = {f"{step}_attempt": studies.c[f"{step}_attempt"] - 1, **again(step, now + LEAVE_S)}
                connection.execute(update(studies).where(studies.c.id == chosen[0]).values(not_tried))

    def any_due(self, now: float) -> bool:
        with self._db.read() as connection:
            return any_due(connection, now)

    def _write(self, step: Step, study_id: str, attempt: int, values: Mapping[str, Any]) -> bool:
        mine = {"of_study": study_id, "of_attempt": attempt}
        with self._db.write() as connection:
            return connection.execute(_WRITE[step], {**mine, **values}).rowcount == 1

    def beat(self, step: Step, study_id: str, attempt: int, lease_s: float, now: float) -> bool:
        return self._write(step, study_id, attempt, {f"{step}_lease_until": now + lease_s})

    def finish(self, study_id: str, attempt: int, outcome: Mapping[str, Any], now: float) -> bool:
        return self._write(Step.RESULT, study_id, attempt, {"outcome": outcome, **ended(FacetStatus.DONE, now)})

    def fail(self, study_id: str, attempt: int, error: Mapping[str, str], now: float) -> bool:
        return self._write(Step.RESULT, study_id, attempt, {"error": error, **ended(FacetStatus.FAILED, now)})

    def lose(self, study_id: str, attempt: int, error: Mapping[str, str], due_at: float, now: float) -> Study | None:
        mine = {"of_study": study_id, "of_attempt": attempt}
        with self._db.write() as connection:
            before = connection.execute(_LOST_BEFORE, mine).scalar_one_or_none()
            if before is None:
                return None
            enough = before + 1 >= MAX_ATTEMPTS
            values = {"error": error, **ended(FacetStatus.FAILED, now)} if enough else again(Step.RESULT, due_at)
            row = connection.execute(_LOSE, {**mine, **values, "result_lost": before + 1}).mappings().one()
            return study_of(row)

    def finish_tracking(self, study_id: str, attempt: int, run_id: str | None, run_url: str | None) -> bool:
        values = {"tracking_status": FacetStatus.DONE.value, "tracking_lease_until": None}
        run = {} if run_id is None else {"run_id": run_id, "run_url": run_url}
        return self._write(Step.TRACKING, study_id, attempt, {**values, **run})

    def postpone(self, step: Step, study_id: str, attempt: int, due_at: float) -> bool:
        return self._write(step, study_id, attempt, again(step, due_at))

    def keep_run(self, evaluation_id: str, run_id: str, run_url: str) -> tuple[str, str]:
        this = {"of_study": evaluation_id}
        with self._db.write() as connection:
            connection.execute(_KEEP_RUN, {**this, "run_id": run_id, "run_url": run_url})
            kept_id, kept_url = connection.execute(_RUN, this).one()
            return kept_id, kept_url

    def drop_run(self, evaluation_id: str, run_id: str) -> None:
        with self._db.write() as connection:
            connection.execute(_DROP_RUN, {"of_study": evaluation_id, "of_run": run_id})

    def homes(self, job_ids: Iterable[str]) -> dict[str, Home]:
        with self._db.read() as connection:
            rows = connection.execute(_HOMES, {"ids": list(job_ids)})
            return {job_id: Home(*home) for job_id, *home in rows}

    def publish_scorers(self, locks: Mapping[str, str], now: float) -> None:
        # Sorted by name: two scorers that publish the same quantities must not wait for each other.
        rows = [{"quantity": name, "lock": lock, "seen_at": now} for name, lock in sorted(locks.items())]
        if not rows:
            return
        new = self._insert_new(scorer_locks)
        told = {"lock": new.excluded.lock, "seen_at": new.excluded.seen_at}
        # A scorer that writes late must not replace what a newer one has published.
        not_older = scorer_locks.c.seen_at <= new.excluded.seen_at
        with self._db.write() as connection:
            connection.execute(
                new.on_conflict_do_update(index_elements=[scorer_locks.c.quantity], set_=told, where=not_older), rows
            )
