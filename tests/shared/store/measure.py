"""How long the store's hot paths take: ``python -m tests.shared.store.measure DATABASE_URL``.

Prints the median over repeats in milliseconds. The database must be empty; its tables are made and left behind. For
PostgreSQL, make one for the purpose (``createdb``) and drop it afterwards.
"""

from __future__ import annotations

import statistics
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from itertools import count

from shared.jobs import Job
from shared.ports import FacetName, Submission
from shared.store.sql import Database, SqlJobStore, migrate
from tests.shared.store.building import LEASE_S, MANIFEST, NOW, PIN, claim, idempotency, new_job, result, sweep

_numbers = count()


def _jobs(number: int, user: str = "ann") -> Submission:
    new = [new_job(f"job_{next(_numbers):09d}", user=user) for _ in range(number)]
    return Submission(new, idempotency(f"{user} POST /v1/jobs {next(_numbers)}"))


def _median_ms(work: Callable[[], object], repeats: int) -> float:
    work()
    times = []
    for _ in range(repeats):
        began = time.perf_counter()
        work()
        times.append((time.perf_counter() - began) * 1e3)
    return statistics.median(times)


def _adding(store: SqlJobStore, thousands: Sequence[Submission]) -> Iterator[tuple[str, float]]:
    yield "add 1 job", _median_ms(lambda: store.add([_jobs(1)]), 100)
    yield "add 16 submissions of 1 job", _median_ms(lambda: store.add([_jobs(1) for _ in range(16)]), 50)
    one_by_one = iter(thousands)
    yield "add 1000 jobs", _median_ms(lambda: store.add([next(one_by_one)]), len(thousands) - 1)


def _reading(store: SqlJobStore, ids: Sequence[str]) -> Iterator[tuple[str, float]]:
    yield "get 1", _median_ms(lambda: store.get(ids[:1]), 200)
    yield "get 16", _median_ms(lambda: store.get(ids), 200)
    yield "position of 1", _median_ms(lambda: store.positions(ids[:1]), 30)
    yield "positions of 16", _median_ms(lambda: store.positions(ids), 30)


def _working(store: SqlJobStore) -> Iterator[tuple[str, float]]:
    """200 jobs' way through a worker and a scorer, step by step."""
    jobs: list[Job] = []
    yield "claim 1, 12 users", _median_ms(lambda: jobs.extend(claim(store, loaded=[PIN])), 199)
    steps: dict[str, Callable[[Job], object]] = {
        "beat": lambda job: store.beat(job.id, job.attempt, LEASE_S, NOW),
        "begin": lambda job: store.begin(job.id, job.attempt),
        "finish": lambda job: store.finish(job.id, job.attempt, result(), NOW),
        "claim_facet": lambda _: store.claim_facet(FacetName.SCORING, "scorer", LEASE_S, NOW),
        "finish_scoring": lambda job: store.finish_scoring(job.id, 1, {}, "lock", 0.1),
    }
    for name, step in steps.items():
        left = iter(jobs)
        yield name, _median_ms(lambda step=step, left=left: step(next(left)), len(jobs) - 1)  # type: ignore[misc]


def _among_many(store: SqlJobStore) -> Iterator[tuple[str, float]]:
    store.add([_jobs(1, user=f"other {number}") for number in range(1000)])
    yield "claim 1, 1012 users", _median_ms(lambda: claim(store, loaded=[PIN]), 30)
    yield "claim 8, 1012 users", _median_ms(lambda: claim(store, loaded=[PIN], at_most=8), 20)
    yield "waiting", _median_ms(lambda: store.waiting(NOW), 30)
    yield "sweep, nothing to do", _median_ms(lambda: sweep(store, NOW), 30)


def measure(url: str) -> Iterator[tuple[str, float]]:
    """Names of hot paths and their medians in milliseconds; the queue holds about 12,000 jobs."""
    database = Database(url)
    migrate(database)
    store = SqlJobStore(database)
    store.publish("worker", [MANIFEST], NOW)
    thousands = [_jobs(1000, user=f"user {number}") for number in range(11)]
    yield from _adding(store, thousands)
    yield from _reading(store, [job.id for job in thousands[0].jobs[:16]])
    yield from _working(store)
    yield from _among_many(store)
    database.close()


if __name__ == "__main__":
    for name, milliseconds in measure(sys.argv[1]):
        print(f"{name:30} {milliseconds:8.2f} ms")
