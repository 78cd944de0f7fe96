"""How long an idle system takes until a worker has started on what was submitted.

All clocks are this machine's. The baseline's task says when its body was entered; ours is ``started_at``, the moment at
which the worker claimed the job. Both are counted from two moments: since the answer was there, and since the request
was sent. Both sides announce the work before they answer, so that the first is short and may come out below zero; the
second shows that no answer was held back for it.

The two sides take turns, one job at a time, and rest in between.
"""

from __future__ import annotations

import http.client
import json
import random
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import median
from typing import Any
from urllib.parse import urlsplit

from benchmarks.harness.clips import ONE
from benchmarks.harness.deployments import Naive, Ringtrue, eventually
from benchmarks.harness.load import percentile
from benchmarks.harness.processes import Processes
from benchmarks.harness.progress import say
from shared.store.sql import Database, SqlJobStore

JOBS = 100
_REST_S = (0.08, 0.12)
_WARM_JOBS = 3


@dataclass(frozen=True, slots=True)
class Submitted:
    """One job; times are epoch seconds."""

    job_id: str
    sent_at: float
    answered_at: float


class Submitter:
    """One keep-alive connection."""

    def __init__(self, url: str, path: str) -> None:
        address = urlsplit(url)
        self._connection = http.client.HTTPConnection(address.hostname or "", address.port, timeout=30)
        self._path = path

    def submit(self, body: Mapping[str, Any]) -> Submitted:
        sent_at = time.time()
        self._connection.request("POST", self._path, json.dumps(body), {"Content-Type": "application/json"})
        answer = self._connection.getresponse()
        content, answered_at = answer.read(), time.time()
        assert answer.status == http.HTTPStatus.ACCEPTED, content
        return Submitted(str(json.loads(content)["id"]), sent_at, answered_at)


def measure() -> dict[str, float]:
    """Medians and 99th percentiles of both sides in ms."""
    with Processes() as processes:
        naive, ours = Naive(processes), Ringtrue(processes)
        naive.start("redis", "server", "worker")
        ours.start("redis", "gateway", "worker")
        naive_jobs: list[Submitted] = []
        our_jobs: list[Submitted] = []
        sides = ((Submitter(naive.url, "/jobs"), naive_jobs), (Submitter(ours.url, "/v1/jobs"), our_jobs))
        for _ in range(_WARM_JOBS + JOBS):
            for submitter, submitted in sides:
                submitted.append(submitter.submit(ONE.submission))
                time.sleep(random.uniform(*_REST_S))
        our_starts = _started(ours, [job.job_id for job in our_jobs])
        naive_starts = {job.job_id: naive.result(job.job_id) or 0.0 for job in naive_jobs}
    return {
        **_figures("baseline", naive_jobs[_WARM_JOBS:], naive_starts),
        **_figures("ours", our_jobs[_WARM_JOBS:], our_starts),
    }


def _started(ours: Ringtrue, ids: Sequence[str]) -> dict[str, float]:
    database = Database(ours.settings.database_url)
    store = SqlJobStore(database)
    try:
        eventually(lambda: all(job.finished for job in store.get(ids).values()), 60, "our jobs are spoken")
        return {job.id: job.started_at or 0.0 for job in store.get(ids).values()}
    finally:
        database.close()


def _figures(side: str, jobs: Sequence[Submitted], started: Mapping[str, float]) -> dict[str, float]:
    sent = sorted((started[job.job_id] - job.sent_at) * 1000 for job in jobs)
    answered = sorted((started[job.job_id] - job.answered_at) * 1000 for job in jobs)
    figures = {
        f"{side}_sent_p50_ms": median(sent),
        f"{side}_answered_p50_ms": median(answered),
        f"{side}_answered_p99_ms": percentile(answered, 99),
    }
    say(f"waking: {side:8} " + "  ".join(f"{name.split('_', 1)[1]} {value:.2f}" for name, value in figures.items()))
    return figures
