"""All stores do the same, step by step, on ways that nobody thought of; and no job leaves its state machines."""

from __future__ import annotations

import shutil
import uuid
from collections.abc import Callable
from contextlib import ExitStack
from functools import partial
from pathlib import Path
from typing import Any

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from shared.jobs import FACET_TRANSITIONS, HELD, TRANSITIONS, FacetStatus, Job, Status
from shared.ports import FacetName, JobFilter, JobStore
from shared.scheduling.fairness import WINDOW_S
from shared.store.sql import Database, SqlJobStore
from tests.memory_store import MemoryJobStore
from tests.shared.store.building import (
    DAY_S,
    ENGINE_ERROR,
    LEASE_S,
    MANIFEST,
    NOW,
    OTHER_MANIFEST,
    OTHER_PIN,
    PIN,
    add,
    claim,
    emptied,
    new_job,
    result,
    sweep,
)

_ADDED: dict[str, st.SearchStrategy[Any]] = {
    "user": st.sampled_from(["ann", "bob", "cyd"]),
    "pin": st.sampled_from([PIN, OTHER_PIN]),
    "priority": st.integers(-1, 1),
    "estimated_s": st.integers(1, 9).map(float),
    "ttl_s": st.sampled_from([2 * LEASE_S, 10 * DAY_S, 10 * DAY_S]),
    "score": st.booleans(),
}
_WANTED: dict[str, st.SearchStrategy[Any]] = {
    "status": st.sampled_from(Status),
    "scoring": st.sampled_from(FacetStatus),
    "tracking": st.sampled_from(FacetStatus),
    "pin": st.sampled_from([PIN, OTHER_PIN, "absent"]),
    "created_after": st.sampled_from([NOW - 1, NOW, NOW + LEASE_S]),
    "created_before": st.sampled_from([NOW, NOW + 1, NOW + WINDOW_S]),
    "metadata": st.sampled_from([{"ticket": "A-17"}, {"ticket": "A-18"}]),
}
_WRITES: dict[str, Callable[..., bool]] = {
    "begin": lambda store, id, attempt, now: store.begin(id, attempt),
    "finish": lambda store, id, attempt, now: store.finish(id, attempt, result(3.0), now),
    "fail": lambda store, id, attempt, now: store.fail(id, attempt, ENGINE_ERROR, now, final=False),
    "fail for good": lambda store, id, attempt, now: store.fail(id, attempt, ENGINE_ERROR, now, final=True),
    "stop": lambda store, id, attempt, now: store.stop(id, attempt, now),
    "hand_back": lambda store, id, attempt, now: store.hand_back(id, attempt),
}


def _is_held(job: Job) -> bool:
    return job.status in HELD


class TwoStores(RuleBasedStateMachine):
    """Does the same to a store in memory and to one in SQL, and finds them the same after every step."""

    def __init__(self, sql: JobStore) -> None:
        super().__init__()
        self.stores: tuple[JobStore, JobStore] = (MemoryJobStore(), sql)
        self.now = NOW
        self.jobs: dict[str, Job] = {}
        self.both(lambda store: store.publish("worker", [MANIFEST, OTHER_MANIFEST], NOW))

    def both(self, step: Callable[[JobStore], Any]) -> Any:
        in_memory, in_sql = (step(store) for store in self.stores)
        assert in_memory == in_sql
        return in_memory

    def draw(self, data: st.DataObject, fits: Callable[[Job], bool]) -> Job:
        """A job that ``fits``, where there is one: steps that change nothing find nothing."""
        jobs = list(self.jobs.values())
        return data.draw(st.sampled_from([job for job in jobs if fits(job)] or jobs))

    @initialize(data=st.data(), count=st.integers(2, 8))
    def begin_with_a_queue(self, data: st.DataObject, count: int) -> None:
        for _ in range(count):
            self._add(**data.draw(st.fixed_dictionaries(_ADDED)))

    @precondition(lambda self: len(self.jobs) < 16)
    @rule(changes=st.fixed_dictionaries(_ADDED))
    def add(self, changes: dict[str, Any]) -> None:
        self._add(**changes)

    def _add(self, ttl_s: float, **changes: Any) -> None:
        id = f"job_{len(self.jobs):03}"
        new = new_job(id, created_at=self.now, expires_at=self.now + ttl_s, **changes)
        self.both(lambda store: add(store, new))
        self.jobs[id] = Job.accepted(new)

    @invariant()
    def same_jobs_and_only_known_transitions(self) -> None:
        after = self.both(lambda store: store.get(self.jobs))
        for id, before in self.jobs.items():
            _check(before.status, after[id].status, TRANSITIONS)
            _check(before.scoring.status, after[id].scoring.status, FACET_TRANSITIONS)
            _check(before.tracking.status, after[id].tracking.status, FACET_TRANSITIONS)
            assert 0 <= after[id].attempt - before.attempt <= 1
        self.jobs = after

    @rule(seconds=st.sampled_from([1.0, 5.0, 11.0, LEASE_S, LEASE_S, WINDOW_S, DAY_S]))
    def wait(self, seconds: float) -> None:
        self.now += seconds
        self.sweep()

    @rule(loaded=st.sampled_from([[], [PIN], [OTHER_PIN]]), pins=st.sampled_from([[PIN, OTHER_PIN], [PIN]]))
    def claim_one(self, pins: list[str], loaded: list[str]) -> None:
        self.both(lambda store: store.claim("worker", pins, loaded, LEASE_S, self.now))

    @rule(loaded=st.sampled_from([[], [PIN], [OTHER_PIN]]), limit=st.integers(2, 4))
    def claim_several_and_begin(self, loaded: list[str], limit: int) -> None:
        claimed = self.both(lambda store: claim(store, self.now, loaded=loaded, at_most=limit))
        self.same_jobs_and_only_known_transitions()
        for taken in claimed:
            self.both(partial(_WRITES["begin"], id=taken.id, attempt=taken.attempt, now=self.now))

    @rule(data=st.data(), progress=st.sampled_from([None, (0, 2), (1, 2)]))
    def beat(self, data: st.DataObject, progress: tuple[int, int] | None) -> None:
        job = self.draw(data, _is_held)
        self.both(lambda store: store.beat(job.id, job.attempt, LEASE_S, self.now, progress))

    @rule(data=st.data(), how=st.sampled_from(list(_WRITES)), stale=st.sampled_from([0, 0, 0, 1]))
    def write(self, data: st.DataObject, how: str, stale: int) -> None:
        job = self.draw(data, _is_held)
        self.both(partial(_WRITES[how], id=job.id, attempt=job.attempt - stale, now=self.now))

    @rule(data=st.data())
    def cancel(self, data: st.DataObject) -> None:
        job = self.draw(data, lambda job: not job.finished)
        self.both(lambda store: store.cancel(job.id, self.now))

    @rule(facet=st.sampled_from(FacetName), limit=st.integers(1, 3))
    def claim_facet(self, facet: FacetName, limit: int) -> None:
        self.both(lambda store: store.claim_facet(facet, "scorer", LEASE_S, self.now, limit))

    @rule(
        data=st.data(),
        facet=st.sampled_from(FacetName),
        how=st.sampled_from(["beat", "finish", "postpone"]),
        stale=st.sampled_from([0, 0, 0, 1]),
    )
    def write_facet(self, data: st.DataObject, facet: FacetName, how: str, stale: int) -> None:
        job = self.draw(data, lambda job: getattr(job, facet).status is FacetStatus.RUNNING)
        attempt = getattr(job, facet).attempt - stale
        writes: dict[str, Callable[[JobStore], bool]] = {
            "beat": lambda store: store.beat_facet(facet, job.id, attempt, LEASE_S, self.now),
            "postpone": lambda store: store.postpone_facet(facet, job.id, attempt, self.now + 5),
            "finish": lambda store: (
                store.finish_scoring(job.id, attempt, {}, "lock", 0.5)
                if facet is FacetName.SCORING
                else store.finish_tracking(job.id, attempt, "run", "url")
            ),
        }
        self.both(writes[how])

    @rule(data=st.data())
    def retry_tracking(self, data: st.DataObject) -> None:
        job = self.draw(data, lambda job: job.tracking.status is FacetStatus.FAILED)
        self.both(lambda store: store.retry_tracking(job.id, self.now))

    @rule()
    def sweep(self) -> None:
        self.both(lambda store: sweep(store, self.now))
        assert not self.both(lambda store: sweep(store, self.now)).any

    @rule(wanted=st.fixed_dictionaries({"limit": st.integers(1, 5)}, optional=_WANTED), data=st.data())
    def look(self, wanted: dict[str, Any], data: st.DataObject) -> None:
        last = data.draw(st.sampled_from([None, *self.jobs, "job_0045"]))
        self.both(lambda store: store.find(JobFilter("ann", before=last, **wanted)))
        self.both(lambda store: (store.positions(self.jobs), store.waiting(self.now)))


def _check(before: Any, after: Any, table: Any) -> None:
    # One sweep may take two steps: a lost job goes back to the queue, where its time to live is over.
    assert after in {before, *table[before], *(then for step in table[before] for then in table[step])}


def _compare(fresh: Callable[[], JobStore], examples: int) -> None:
    run_state_machine_as_test(
        lambda: TwoStores(fresh()),  # type: ignore[arg-type]
        settings=settings(
            max_examples=examples, stateful_step_count=60, deadline=None, suppress_health_check=list(HealthCheck)
        ),
    )


def test_memory_and_sqlite_never_disagree(migrated_file: Path, tmp_path: Path) -> None:
    with ExitStack() as opened:

        def fresh() -> JobStore:
            path = tmp_path / f"{uuid.uuid4()}.db"
            database = Database(f"sqlite:///{shutil.copy(migrated_file, path)}")
            opened.callback(database.close)
            return SqlJobStore(database)

        _compare(fresh, 40)


def test_memory_and_postgresql_never_disagree(migrated_postgresql: Database) -> None:
    _compare(lambda: SqlJobStore(emptied(migrated_postgresql)), 10)
