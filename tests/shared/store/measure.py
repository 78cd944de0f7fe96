"""How long the store's hot paths take: ``python tests/shared/store/measure.py DATABASE_URL``.

Prints the median over repeats in milliseconds. The database must be empty; its tables are made and left behind. For
PostgreSQL, make one for the purpose (``createdb``) and drop it afterwards.
"""

from __future__ import annotations

import statistics
import sys
import time
from collections.abc import Callable, Iterator
from itertools import count

from building import MANIFEST, new_job, result

from shared.jobs import Job
from shared.ports import FacetName, Idempotency, Submission
from shared.store.sql import Database, SqlJobStore, migrate

_NOW = 1_000_000.0
_numbers = count()


def _jobs(number: int, user: str = "ann") -> Submission:
    asked = Idempotency(f"{user} POST /v1/jobs {next(_numbers)}", "same", _NOW, _NOW + 60)
    return Submission([new_job(f"job_{next(_numbers):09d}", user=user) for _ in range(number)], asked)


def _median_ms(work: Callable[[], object], repeats: int) -> float:
    work()
    times = []
    for _ in range(repeats):
        began = time.perf_counter()
        work()
        times.append((time.perf_counter() - began) * 1e3)
    return statistics.median(times)


def _each(store: SqlJobStore, jobs: list[Job]) -> Iterator[tuple[str, float]]:
    """One job's way through a worker and a scorer, each step timed over all ``jobs``."""
    steps: dict[str, Callable[[Job], object]] = {
        "beat": lambda job: store.beat(job.id, job.attempt, 30.0, _NOW),
        "begin": lambda job: store.begin(job.id, job.attempt),
        "finish": lambda job: store.finish(job.id, job.attempt, result(), _NOW),
        "claim_facet scoring": lambda _: store.claim_facet(FacetName.SCORING, "s", 30.0, _NOW),
        "finish_scoring": lambda job: store.finish_scoring(job.id, 1, {}, "lock", 0.1),
    }
    for name, step in steps.items():
        left = iter(jobs)
        yield name, _median_ms(lambda step=step, left=left: step(next(left)), len(jobs) - 1)


def measure(url: str) -> Iterator[tuple[str, float]]:
    """Names of hot paths and their medians in milliseconds."""
    database = Database(url)
    migrate(database)
    store = SqlJobStore(database)
    store.publish("w", [MANIFEST], _NOW)
    yield "add 1 job", _median_ms(lambda: store.add([_jobs(1)]), 100)
    yield "add 16 submissions of 1 job", _median_ms(lambda: store.add([_jobs(1) for _ in range(16)]), 50)
    made = [_jobs(1000, user=f"user {number}") for number in range(11)]
    one_by_one = iter(made)
    yield "add 1000 jobs", _median_ms(lambda: store.add([next(one_by_one)]), 10)
    some = [job.id for job in made[0].jobs[:16]]
    yield "get 1", _median_ms(lambda: store.get(some[:1]), 200)
    yield "get 16", _median_ms(lambda: store.get(some), 200)
    yield "position of 1", _median_ms(lambda: store.positions(some[:1]), 30)
    yield "positions of 16", _median_ms(lambda: store.positions(some), 30)
    claimed: list[Job] = []
    yield (
        "claim, 12 users",
        _median_ms(lambda: claimed.extend(store.claim("w", [MANIFEST.pin], [MANIFEST.pin], 30.0, _NOW)), 200),
    )
    yield from _each(store, claimed)
    store.add([_jobs(1, user=f"other {number}") for number in range(1000)])
    claim = lambda: store.claim("w", [MANIFEST.pin], [MANIFEST.pin], 30.0, _NOW)  # noqa: E731
    yield "claim, 1012 users", _median_ms(claim, 30)
    yield (
        "claim 8, 1012 users",
        _median_ms(lambda: store.claim("w", [MANIFEST.pin], [MANIFEST.pin], 30.0, _NOW, limit=8), 20),
    )
    yield "waiting", _median_ms(lambda: store.waiting(_NOW), 30)
    yield (
        "sweep, nothing to do",
        _median_ms(lambda: store.sweep(_NOW, tracking_budget_s=86400.0, idempotency_s=86400.0), 30),
    )
    database.close()


if __name__ == "__main__":
    for name, milliseconds in measure(sys.argv[1]):
        print(f"{name:30} {milliseconds:8.2f} ms")
