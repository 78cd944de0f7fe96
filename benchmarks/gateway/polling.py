"""How fast a job can be looked at: `GET` of one job after the other, finished ones and queued ones.

The two sides take turns under the same client, three times, and medians are compared. Our finished jobs were spoken by
a worker and carry as many scores as a scorer gives; the baseline's carry one number. The queued ones are behind each
other in one queue, and each answer of ours tells the place in it.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from itertools import cycle
from statistics import median

from benchmarks.harness.clips import ONE
from benchmarks.harness.deployments import Naive, Ringtrue, eventually
from benchmarks.harness.load import Load, drive, request
from benchmarks.harness.processes import Processes
from benchmarks.harness.progress import say
from shared.metrics import METRICS
from shared.ports import FacetName
from shared.scores import Score
from shared.store.sql import Database, SqlJobStore

CLIENTS = 16
FINISHED = 200
QUEUED = 1000
_ROUNDS = 3
_SECONDS = 3.0
_WARM_S = 0.5
_LEASE_S = 60.0


def measure() -> dict[str, float]:
    """Polls per second of both sides, of finished and of queued jobs."""
    with Processes() as processes:
        naive, ours = Naive(processes), Ringtrue(processes)
        naive.start("redis", "server", "worker")
        ours.start("redis", "gateway", "worker")
        paths = {
            "baseline_finished": _polls("/jobs/", _naive_finished(naive)),
            "ours_finished": _polls("/v1/jobs/", _finished(ours)),
        }
        naive.stop("worker")
        ours.stop("worker")
        paths["baseline_queued"] = _polls("/jobs/", [naive.submit(ONE.submission) for _ in range(QUEUED)])
        paths["ours_queued"] = _polls("/v1/jobs/", ours.submit([ONE.submission] * QUEUED))
        loads: dict[str, list[Load]] = {name: [] for name in paths}
        for seconds in (_WARM_S, *[_SECONDS] * _ROUNDS):
            for name, polls in paths.items():
                url = naive.url if name.startswith("baseline") else ours.url
                loads[name].append(drive(url, cycle(polls), clients=CLIENTS, seconds=seconds, status=200))
    return _figures({name: measured[1:] for name, measured in loads.items()})


def _polls(prefix: str, ids: Sequence[str]) -> list[bytes]:
    return [request("GET", prefix + job_id) for job_id in ids]


def _naive_finished(naive: Naive) -> list[str]:
    ids = [naive.submit(ONE.submission) for _ in range(FINISHED)]
    eventually(lambda: all(naive.result(job_id) is not None for job_id in ids), 60, "the baseline's tasks are done")
    return ids


def _finished(ours: Ringtrue) -> list[str]:
    ids = ours.submit([ONE.submission] * FINISHED)
    database = Database(ours.settings.database_url)
    store = SqlJobStore(database)
    try:
        eventually(lambda: all(job.finished for job in store.get(ids).values()), 120, "our jobs are spoken")
        _score(store)
    finally:
        database.close()
    return ids


def _score(store: SqlJobStore) -> None:
    """Every value that a scorer gives by default, written as it writes them."""
    names = [quantity for info in METRICS.values() if info.default for quantity in info.quantities]
    scores = {quantity.name: Score(1.234567, quantity.unit, "0" * 64) for quantity in names}
    while claimed := store.claim_facet(FacetName.SCORING, "benchmark", _LEASE_S, time.time(), 100):
        for job in claimed:
            store.finish_scoring(job.id, job.scoring.attempt, scores, "0" * 64, 1.0)


def _figures(loads: dict[str, list[Load]]) -> dict[str, float]:
    figures: dict[str, float] = {}
    for name, measured in loads.items():
        figures[f"{name}_per_s"] = median(load.rate for load in measured)
        client = median(load.client_cpu_s / load.seconds for load in measured)
        p99_ms = median(load.latency_ms(99) for load in measured)
        say(
            f"polling: {name:17} {figures[f'{name}_per_s']:6.0f} /s  p99 {p99_ms:.1f} ms  client {client:.0%} of a core"
        )
    return figures
