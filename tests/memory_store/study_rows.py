"""The dictionaries that studies in memory are, kept beside those of the jobs under one lock."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from shared.jobs import MAX_ATTEMPTS, MAX_LAPSES, Facet, FacetStatus, Job
from shared.scheduling.lapsing import LONGEST_LEASE_S
from shared.studies import OVER, SCORER_LOST, NewStudy, Step, Study, StudyClip


def facet_of(study: Study, step: Step) -> Facet:
    """One facet of ``study``."""
    return study.result if step is Step.RESULT else study.tracking


def with_step(study: Study, step: Step, **changes: Any) -> Study:
    """``study`` with members of one facet changed."""
    facet = replace(facet_of(study, step), **changes)
    return replace(study, result=facet) if step is Step.RESULT else replace(study, tracking=facet)


def over(study: Study, status: FacetStatus, now: float, **changes: Any) -> Study:
    """``study`` with a result that will not change any more; its tracking is due when what it stands on is tracked."""
    ended = with_step(study, Step.RESULT, status=status, lease_until=None)
    return replace(with_step(ended, Step.TRACKING, due_at=now), completed_at=now, **changes)


class StudyRows:
    """State of the studies of one store. ``lock``: the one of its jobs."""

    def __init__(self, lock: threading.RLock) -> None:
        self.lock = lock
        self.studies: dict[str, Study] = {}
        self.clips: dict[str, tuple[StudyClip, ...]] = {}
        self.scorer_locks: dict[str, tuple[str, float]] = {}
        """With the time at which each was published."""
        self.tracked_since: dict[str, float] = {}
        self._lost: Counter[str] = Counter()

    def add(self, new: NewStudy) -> None:
        """A study that waits for what it stands on."""
        given = {name: getattr(new, name) for name in NewStudy.__slots__ if name != "clips"}
        result = Facet(FacetStatus.PENDING, due_at=new.created_at)
        self.studies[new.id] = Study(**given, result=result, tracking=Facet(FacetStatus.PENDING))
        self.clips[new.id] = new.clips

    def due(self, step: Step, now: float, jobs: Mapping[str, Job]) -> list[Study]:
        """Those whose ``step`` a scorer may take, the one that is due for longest first."""

        def age(study: Study) -> tuple[float, str]:
            return facet_of(study, step).due_at or 0.0, study.id

        return sorted((study for study in self.studies.values() if self._due(study, step, now, jobs)), key=age)

    def _due(self, study: Study, step: Step, now: float, jobs: Mapping[str, Job]) -> bool:
        state = facet_of(study, step)
        if state.status is not FacetStatus.PENDING or state.due_at is None or state.due_at > now:
            return False
        below = (self.studies[id_] for id_ in study.stands_on if id_ in self.studies)
        clips = (clip for clip in self.clips[study.id] if clip.job_id in jobs)
        return all(facet_of(one, step).status in OVER for one in below) and all(
            _clip_over(clip, step, jobs[clip.job_id]) for clip in clips
        )

    def sweep(self, now: float, tracking_budget_s: float) -> Counter[str]:
        """Release what was left, fail what was tried long enough; how many of each, as `shared.ports.Swept` says it."""
        counts: Counter[str] = Counter()
        for id_ in self.studies:
            counts[self._sweep_tracking_budget(self.studies[id_], now, tracking_budget_s)] += 1
            for step in Step:
                counts[self._sweep_lease(step, self.studies[id_], now)] += 1
        return counts

    def _sweep_tracking_budget(self, study: Study, now: float, tracking_budget_s: float) -> str:
        since, state = self.tracked_since.get(study.id), study.tracking
        waits = state.status is FacetStatus.PENDING or _lapsed(state, now)
        if not waits or since is None or since > now - tracking_budget_s:
            return ""
        self.studies[study.id] = with_step(study, Step.TRACKING, status=FacetStatus.FAILED, lease_until=None)
        return "facets_failed"

    def lost(self, study_id: str) -> bool:
        """Count an attempt at a result that came to nothing; whether there have been enough."""
        self._lost[study_id] += 1
        return self._lost[study_id] >= MAX_ATTEMPTS

    def _sweep_lease(self, step: Step, study: Study, now: float) -> str:
        if not _lapsed(facet_of(study, step), now):
            return ""
        if step is Step.RESULT and study.result.attempt >= MAX_LAPSES:
            self.studies[study.id] = over(study, FacetStatus.FAILED, now, error=SCORER_LOST)
            return "facets_failed"
        self.studies[study.id] = with_step(study, step, status=FacetStatus.PENDING, lease_until=None, due_at=now)
        return "facets_released"


def _clip_over(clip: StudyClip, step: Step, job: Job) -> bool:
    if step is Step.RESULT:
        return job.finished and job.scoring.status in OVER
    return clip.cached or job.tracking.status in OVER


def _lapsed(state: Facet, now: float) -> bool:
    until = state.lease_until
    return state.status is FacetStatus.RUNNING and until is not None and not now < until <= now + LONGEST_LEASE_S
