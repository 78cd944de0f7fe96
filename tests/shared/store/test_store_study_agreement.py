"""All stores do the same with studies, step by step, on ways that nobody thought of."""

from __future__ import annotations

import shutil
import uuid
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule, run_state_machine_as_test

from shared.jobs import FacetStatus
from shared.ports import FacetName, JobStore
from shared.store.sql import Database, SqlJobStore, SqlStudyStore
from shared.studies import STEP_TRANSITIONS, Kind, Step, Study, StudyClip, StudyStore
from tests.memory_store import MemoryJobStore, MemoryStudyStore
from tests.shared.store.building import (
    DAY_S,
    ENGINE_ERROR,
    LEASE_S,
    MANIFEST,
    NOW,
    OTHER_MANIFEST,
    claim,
    emptied,
    sweep,
)
from tests.shared.store.study_building import (
    ERROR,
    OUTCOME,
    add_study,
    evaluate,
    new_comparison,
    score_all,
    speak_all,
    track_all,
)

_Stores = tuple[JobStore, StudyStore]


class TwoStores(RuleBasedStateMachine):
    """Does the same to studies in memory and to studies in SQL, and finds them the same after every step."""

    def __init__(self, sql: _Stores) -> None:
        super().__init__()
        jobs = MemoryJobStore()
        self.stores: tuple[_Stores, _Stores] = ((jobs, MemoryStudyStore(jobs)), sql)
        self.now = NOW
        self.studies: dict[str, Study] = {}
        self.clips: list[StudyClip] = []
        self.both(lambda jobs, _: jobs.publish("worker", [MANIFEST, OTHER_MANIFEST], NOW))

    def both(self, step: Callable[[JobStore, StudyStore], Any]) -> Any:
        in_memory, in_sql = (step(*stores) for stores in self.stores)
        assert in_memory == in_sql
        return in_memory

    @precondition(lambda self: len(self.studies) < 10)
    @rule(data=st.data(), own=st.integers(0, 3), score=st.booleans())
    def evaluate(self, data: st.DataObject, own: int, score: bool) -> None:
        id = f"eval_{len(self.studies):02}"
        again = data.draw(st.lists(st.sampled_from(self.clips), unique=True, max_size=2)) if self.clips else []
        numbers = range(len(self.clips), len(self.clips) + own)
        clips = [StudyClip(f"item {number}", 0, f"job_{number:02}", f"identity {number % 3}") for number in numbers]
        cached = [StudyClip(clip.item, clip.seed, clip.job_id, clip.identity, cached=True) for clip in again]
        self.both(lambda jobs, _: evaluate(jobs, *cached, *clips, id=id, score=score, created_at=self.now))
        self.clips += clips
        self._look([id])

    @precondition(lambda self: 0 < len(self.studies) < 10)
    @rule(data=st.data(), kind=st.sampled_from([Kind.COMPARISON, Kind.GATE]))
    def stand_on_what_is_there(self, data: st.DataObject, kind: Kind) -> None:
        below = data.draw(st.lists(st.sampled_from(sorted(self.studies)), min_size=1, max_size=2))
        new = new_comparison(*below, id=f"{kind}_{len(self.studies):02}", kind=kind, created_at=self.now)
        self.both(lambda jobs, _: add_study(jobs, new))
        self._look([new.id])

    def _look(self, ids: list[str]) -> None:
        self.studies |= self.both(lambda _, studies: studies.get(ids))

    @invariant()
    def same_studies_and_only_known_transitions(self) -> None:
        after = self.both(lambda _, studies: studies.get(self.studies))
        for id, before in self.studies.items():
            for was, is_ in ((before.result, after[id].result), (before.tracking, after[id].tracking)):
                assert is_.status in {was.status, *STEP_TRANSITIONS[was.status]}
                assert 0 <= is_.attempt - was.attempt <= 1
        self.studies = after
        self.both(lambda jobs, _: jobs.waiting(self.now))
        self.both(lambda _, studies: studies.progress(self.studies))
        self.both(lambda jobs, _: jobs.get(clip.job_id for clip in self.clips))

    @rule(how=st.sampled_from(["speak", "score", "track", "fail"]))
    def go_on_with_jobs(self, how: str) -> None:
        steps: dict[str, Callable[[JobStore], object]] = {
            "speak": lambda jobs: speak_all(jobs, self.now),
            "score": lambda jobs: score_all(jobs, self.now),
            "track": lambda jobs: track_all(jobs, self.now),
            "fail": lambda jobs: [
                jobs.fail(job.id, job.attempt, ENGINE_ERROR, self.now, final=True) for job in claim(jobs, self.now)
            ],
        }
        self.both(lambda jobs, _: steps[how](jobs))

    @rule(facet=st.sampled_from(FacetName))
    def hold_a_facet_of_a_job(self, facet: FacetName) -> None:
        self.both(lambda jobs, _: jobs.claim_facet(facet, "scorer", LEASE_S, self.now))

    @rule(step=st.sampled_from(Step))
    def claim(self, step: Step) -> None:
        self.both(lambda _, studies: studies.claim(step, "scorer", LEASE_S, self.now))

    @precondition(lambda self: self.studies)
    @rule(
        data=st.data(),
        step=st.sampled_from(Step),
        how=st.sampled_from(["beat", "finish", "fail", "lose", "postpone"]),
        stale=st.sampled_from([0, 0, 0, 1]),
    )
    def write(self, data: st.DataObject, step: Step, how: str, stale: int) -> None:
        held = [one for one in self.studies.values() if getattr(one, step).status is FacetStatus.RUNNING]
        study = data.draw(st.sampled_from(held or list(self.studies.values())))
        attempt = getattr(study, step).attempt - stale
        writes: dict[str, Callable[[StudyStore], object]] = {
            "beat": lambda studies: studies.beat(step, study.id, attempt, LEASE_S, self.now),
            "postpone": lambda studies: studies.postpone(step, study.id, attempt, self.now + 5),
            "fail": lambda studies: studies.fail(study.id, attempt, ERROR, self.now),
            "lose": lambda studies: studies.lose(study.id, attempt, ERROR, self.now + 5, self.now),
            "finish": lambda studies: (
                studies.finish(study.id, attempt, OUTCOME, self.now)
                if step is Step.RESULT
                else studies.finish_tracking(study.id, attempt, None, None)
            ),
        }
        self.both(lambda _, studies: writes[how](studies))

    @rule()
    def look_for_what_is_due(self) -> None:
        self.both(lambda _, studies: studies.any_due(self.now))

    @precondition(lambda self: self.studies)
    @rule(data=st.data())
    def cancel(self, data: st.DataObject) -> None:
        id = data.draw(st.sampled_from(sorted(self.studies)))
        self.both(lambda _, studies: studies.cancel(id, self.now))

    @rule(seconds=st.sampled_from([1.0, 5.0, LEASE_S, LEASE_S, DAY_S]))
    def wait(self, seconds: float) -> None:
        self.now += seconds
        self.both(lambda jobs, _: sweep(jobs, self.now))

    @rule()
    def look_for_clips(self) -> None:
        identities = [clip.identity for clip in self.clips]
        self.both(lambda _, studies: studies.spoken_before("ann", identities))
        self.both(lambda _, studies: studies.homes(clip.job_id for clip in self.clips))


def _compare(fresh: Callable[[], _Stores], examples: int) -> None:
    run_state_machine_as_test(
        lambda: TwoStores(fresh()),  # type: ignore[arg-type]
        settings=settings(
            max_examples=examples, stateful_step_count=50, deadline=None, suppress_health_check=list(HealthCheck)
        ),
    )


def test_studies_in_memory_and_in_sqlite_never_disagree(migrated_file: Path, tmp_path: Path) -> None:
    with ExitStack() as opened:

        def fresh() -> _Stores:
            database = Database(f"sqlite:///{shutil.copy(migrated_file, tmp_path / f'{uuid.uuid4()}.db')}")
            opened.callback(database.close)
            return SqlJobStore(database), SqlStudyStore(database)

        _compare(fresh, 30)


def test_studies_in_memory_and_in_postgresql_never_disagree(migrated_postgresql: Database) -> None:
    def fresh() -> _Stores:
        database = emptied(migrated_postgresql)
        return SqlJobStore(database), SqlStudyStore(database)

    _compare(fresh, 10)
