"""Studies in memory, over the rows of a job store in memory."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from typing import Any

from shared.jobs import FacetStatus, Job, Status
from shared.scores import Score
from shared.studies import (
    MOST_TAKES,
    OVER,
    Home,
    Kind,
    SpokenBefore,
    Step,
    Study,
    StudyClip,
    StudyFilter,
    StudyProgress,
    StudyState,
)
from tests.memory_store.gateway import MemoryGatewaySide
from tests.memory_store.study_rows import facet_of, over, with_step
from tests.memory_store.turns import Due


class MemoryStudyStore:
    """Implements ``shared.studies.StudyStore``. ``jobs``: the `MemoryJobStore` that studies are added with."""

    def __init__(self, jobs: MemoryGatewaySide) -> None:
        self._jobs = jobs
        self._rows = jobs.studies

    # -- gateway -----------------------------------------------------------------------------------------------
    def get(self, ids: Iterable[str]) -> dict[str, Study]:
        with self._rows.lock:
            return {id_: self._rows.studies[id_] for id_ in ids if id_ in self._rows.studies}

    def states(self, ids: Iterable[str]) -> dict[str, StudyState]:
        return {id_: StudyState(study.user, study.kind, study.over) for id_, study in self.get(ids).items()}

    def find(self, wanted: StudyFilter) -> list[Study]:
        def fits(study: Study) -> bool:
            exact = ("pin", "suite", "lock_sha256", "suite_sha256")
            return (
                (study.user, study.kind) == (wanted.user, wanted.kind)
                and all(getattr(wanted, name) in (None, getattr(study, name)) for name in exact)
                and (wanted.before is None or study.id < wanted.before)
            )

        with self._rows.lock:
            found = [study for study in self._rows.studies.values() if fits(study)]
        return sorted(found, key=lambda study: study.id, reverse=True)[: wanted.limit]

    def clips(self, evaluation_id: str) -> list[StudyClip]:
        with self._rows.lock:
            return list(self._rows.clips.get(evaluation_id, ()))

    def progress(self, ids: Iterable[str]) -> dict[str, StudyProgress]:
        with self._rows.lock:
            return {id_: self._progress(clips) for id_ in ids if (clips := self._rows.clips.get(id_))}

    def _progress(self, clips: tuple[StudyClip, ...]) -> StudyProgress:
        found = self._jobs.get([clip.job_id for clip in clips])
        jobs = [found[clip.job_id] for clip in clips if clip.job_id in found]
        finished = [job for job in jobs if job.finished]
        spoken = sum(job.status is Status.SUCCEEDED for job in finished)
        return StudyProgress(
            clips=len(jobs),
            cached=sum(clip.cached for clip in clips if clip.job_id in found),
            spoken=spoken,
            scored=sum(job.scoring.status in OVER for job in finished),
            tracked=sum(job.tracking.status in OVER for job in finished),
            failed=len(finished) - spoken,
        )

    def spoken_before(self, user: str, identities: Iterable[str]) -> dict[str, list[SpokenBefore]]:
        found: dict[str, list[Job]] = {identity: [] for identity in identities}
        with self._rows.lock:
            for clip in self._own_clips():
                job = self._jobs.get([clip.job_id]).get(clip.job_id)
                if clip.identity in found and job is not None and job.user == user and _usable(job):
                    found[clip.identity].append(job)
        return {
            identity: [_take(job) for job in sorted(takes, key=lambda job: job.id, reverse=True)[:MOST_TAKES]]
            for identity, takes in found.items()
            if takes
        }

    def _own_clips(self) -> Iterable[StudyClip]:
        return (clip for clips in self._rows.clips.values() for clip in clips if not clip.cached)

    def scorer_locks(self) -> Mapping[str, str]:
        with self._rows.lock:
            return {quantity: lock for quantity, (lock, _) in self._rows.scorer_locks.items()}

    def cancel(self, study_id: str, now: float) -> Study | None:
        with self._rows.lock:
            study = self._rows.studies.get(study_id)
            if study is None or study.over:
                return study
            for clip in self._rows.clips[study_id]:
                if not clip.cached:
                    self._jobs.cancel(clip.job_id, now)
            canceled = over(study, FacetStatus.SKIPPED, now, canceled_at=now)
            if study.kind is not Kind.EVALUATION:
                canceled = with_step(canceled, Step.TRACKING, status=FacetStatus.SKIPPED, due_at=None)
            self._rows.studies[study_id] = canceled
            return canceled

    # -- scorer ------------------------------------------------------------------------------------------------
    def claim(self, step: Step, holder: str, lease_s: float, now: float) -> Study | None:
        with self._rows.lock:
            jobs = self._jobs.get({clip.job_id for clips in self._rows.clips.values() for clip in clips})
            due = {study.id: study for study in self._rows.due(step, now, jobs)}
            firsts = (Due(study.user, facet_of(study, step).due_at or 0.0, study.id, 1.0) for study in due.values())
            found = [due[id_] for id_ in self._jobs.turns.take(f"study {step}", firsts, now)]
            if not found:
                return None
            taken = with_step(
                found[0],
                step,
                status=FacetStatus.RUNNING,
                attempt=facet_of(found[0], step).attempt + 1,
                holder=holder,
                lease_until=now + lease_s,
            )
            if step is Step.TRACKING:
                self._rows.tracked_since.setdefault(taken.id, now)
            self._rows.studies[taken.id] = taken
            return taken

    def any_due(self, now: float) -> bool:
        with self._rows.lock:
            jobs = self._jobs.get({clip.job_id for clips in self._rows.clips.values() for clip in clips})
            return any(True for step in Step for _ in self._rows.due(step, now, jobs))

    def _write(self, step: Step, study_id: str, attempt: int, change: Callable[[Study], Study]) -> bool:
        with self._rows.lock:
            study = self._rows.studies.get(study_id)
            if study is None:
                return False
            state = facet_of(study, step)
            if state.status is not FacetStatus.RUNNING or state.attempt != attempt:
                return False
            self._rows.studies[study_id] = change(study)
            return True

    def beat(self, step: Step, study_id: str, attempt: int, lease_s: float, now: float) -> bool:
        return self._write(step, study_id, attempt, lambda study: with_step(study, step, lease_until=now + lease_s))

    def finish(self, study_id: str, attempt: int, outcome: Mapping[str, Any], now: float) -> bool:
        return self._write(
            Step.RESULT, study_id, attempt, lambda study: over(study, FacetStatus.DONE, now, outcome=outcome)
        )

    def fail(self, study_id: str, attempt: int, error: Mapping[str, str], now: float) -> bool:
        return self._write(
            Step.RESULT, study_id, attempt, lambda study: over(study, FacetStatus.FAILED, now, error=error)
        )

    def lose(self, study_id: str, attempt: int, error: Mapping[str, str], due_at: float, now: float) -> Study | None:
        def change(study: Study) -> Study:
            if self._rows.lost(study_id):
                return over(study, FacetStatus.FAILED, now, error=error)
            return with_step(study, Step.RESULT, status=FacetStatus.PENDING, lease_until=None, due_at=due_at)

        with self._rows.lock:
            return self._rows.studies[study_id] if self._write(Step.RESULT, study_id, attempt, change) else None

    def finish_tracking(self, study_id: str, attempt: int, run_id: str | None, run_url: str | None) -> bool:
        def change(study: Study) -> Study:
            tracked = with_step(study, Step.TRACKING, status=FacetStatus.DONE, lease_until=None)
            return tracked if run_id is None else replace(tracked, run_id=run_id, run_url=run_url)

        return self._write(Step.TRACKING, study_id, attempt, change)

    def postpone(self, step: Step, study_id: str, attempt: int, due_at: float) -> bool:
        def change(study: Study) -> Study:
            return with_step(study, step, status=FacetStatus.PENDING, lease_until=None, due_at=due_at)

        return self._write(step, study_id, attempt, change)

    def keep_run(self, evaluation_id: str, run_id: str, run_url: str) -> tuple[str, str]:
        with self._rows.lock:
            study = self._rows.studies[evaluation_id]
            if study.run_id is None:
                study = self._rows.studies[evaluation_id] = replace(study, run_id=run_id, run_url=run_url)
            assert study.run_id is not None
            return study.run_id, study.run_url or ""

    def drop_run(self, evaluation_id: str, run_id: str) -> None:
        with self._rows.lock:
            study = self._rows.studies[evaluation_id]
            if study.run_id == run_id:
                self._rows.studies[evaluation_id] = replace(study, run_id=None, run_url=None)

    def homes(self, job_ids: Iterable[str]) -> dict[str, Home]:
        wanted = set(job_ids)
        with self._rows.lock:
            return {
                clip.job_id: Home(study_id, clip.item, study.suite or "", study.suite_sha256 or "")
                for study_id, study in self._rows.studies.items()
                for clip in self._rows.clips[study_id]
                if clip.job_id in wanted and not clip.cached
            }

    def publish_scorers(self, locks: Mapping[str, str], now: float) -> None:
        with self._rows.lock:
            for quantity, lock in locks.items():
                if now >= self._rows.scorer_locks.get(quantity, (lock, now))[1]:
                    self._rows.scorer_locks[quantity] = (lock, now)


def _usable(job: Job) -> bool:
    return job.status is Status.SUCCEEDED and job.scoring.status in {FacetStatus.DONE, FacetStatus.SKIPPED}


def _take(job: Job) -> SpokenBefore:
    locks = {name: score.scorer_lock for name, score in job.scores.items() if isinstance(score, Score)}
    return SpokenBefore(job.id, job.environment, locks)
