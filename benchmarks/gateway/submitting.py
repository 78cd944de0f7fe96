"""How fast jobs are accepted: one per request, and a thousand per request.

The two sides take turns under the same client, three times, and medians are compared. No worker runs on either side:
what is measured is acceptance. Ours is on disk before it is answered (SQLite: synchronous=FULL, PostgreSQL:
synchronous_commit=on, both with a real fsync); the baseline's is in the memory of Redis.
"""

from __future__ import annotations

from itertools import islice, repeat
from statistics import median

from benchmarks.harness.clips import ONE
from benchmarks.harness.deployments import Naive, Ringtrue, throw_away_database
from benchmarks.harness.load import Load, drive, request
from benchmarks.harness.processes import Processes
from benchmarks.harness.progress import say

CLIENTS = 16
BATCH_CLIENTS = 2
BATCH = 1000
BATCHES = 12
"""Per round: of three rounds, all jobs stay below the backlog at which the gateway refuses more."""
_ROUNDS = 3
_SECONDS = 3.0
_WARM_S = 0.5


def measure() -> dict[str, float | None]:
    """Submits per second of both sides, jobs per second by batches, and the 99th percentile of ours in ms."""
    with throw_away_database() as postgresql_url, Processes() as processes:
        naive = Naive(processes)
        naive.start("redis", "server")
        sides = {"sqlite": _accepting(processes, "sqlite", None)}
        if postgresql_url is None:
            say("submitting: no PostgreSQL is reachable, its lines are left out")
        else:
            sides["postgresql"] = _accepting(processes, "postgresql", postgresql_url)
        loads: dict[str, list[Load]] = {}
        for seconds in (_WARM_S, *[_SECONDS] * _ROUNDS):
            taken = {"baseline": _naive_load(naive.url, seconds)}
            for name, ours in sides.items():
                taken[name] = _load(ours.url, seconds)
                taken[f"{name}_batch"] = _batch_load(ours.url)
            for name, load in taken.items():
                loads.setdefault(name, []).append(load)
    return _figures({name: measured[1:] for name, measured in loads.items()})


def _accepting(processes: Processes, name: str, database_url: str | None) -> Ringtrue:
    ours = Ringtrue(processes, name, database_url)
    ours.start("redis", "gateway")
    ours.publish_pins()
    return ours


def _naive_load(url: str, seconds: float) -> Load:
    one = request("POST", "/jobs", ONE.submission)
    return drive(url, repeat(one), clients=CLIENTS, seconds=seconds, status=202)


def _load(url: str, seconds: float) -> Load:
    one = request("POST", "/v1/jobs", ONE.submission)
    return drive(url, repeat(one), clients=CLIENTS, seconds=seconds, status=202)


def _batch_load(url: str) -> Load:
    thousand = request("POST", "/v1/jobs:batch", {"jobs": [ONE.submission] * BATCH})
    return drive(url, islice(repeat(thousand), BATCHES), clients=BATCH_CLIENTS, seconds=60, status=202)


def _figures(loads: dict[str, list[Load]]) -> dict[str, float | None]:
    figures: dict[str, float | None] = {}
    for name, measured in loads.items():
        jobs = BATCH if name.endswith("_batch") else 1
        figures[f"{name}_per_s"] = jobs * median(load.rate for load in measured)
        figures[f"{name}_p99_ms"] = median(load.latency_ms(99) for load in measured)
        client = median(load.client_cpu_s / load.seconds for load in measured)
        say(
            f"submitting: {name:16} {figures[f'{name}_per_s']:8.0f} jobs/s  p99 {figures[f'{name}_p99_ms']:.1f} ms  "
            f"client {client:.0%} of a core"
        )
    return figures
