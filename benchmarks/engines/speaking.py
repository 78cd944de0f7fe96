"""How many clips a second are spoken when there are many to speak: espeak through the whole path, nothing scored.

One worker with a slot per core (``ringtrue up --worker-slots``), a queue that is full before it starts, short texts
that are all different. Counted is from the first claim to the last clip that is on disk and in its row. What one host
does that is asked for the same texts, with nothing around it, is measured beside it.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import replace

from benchmarks.harness.clips import ONE
from benchmarks.harness.cores import cores
from benchmarks.harness.deployments import Ringtrue, eventually
from benchmarks.harness.processes import Processes
from benchmarks.harness.progress import say
from services.worker.engine_host import EngineHost, never_mind
from shared.jobs import Job
from shared.store.sql import Database, SqlJobStore

BATCH, BATCHES = 750, 2
_WITHIN_S = 300.0
_ALONE = 200


def measure() -> dict[str, float]:
    """Clips per second through the path, and of one host that is asked directly."""
    alone_per_s = _alone()
    with Processes() as processes:
        ours = Ringtrue(processes, worker_slots=round(cores()))
        ours.start("redis", "gateway")
        ours.publish_pins()
        ids = [job_id for batch in range(BATCHES) for job_id in ours.submit(_jobs(batch))]
        ours.start("worker")
        jobs = _spoken(ours, ids)
    began, ended = min(job.started_at or 0.0 for job in jobs), max(job.completed_at or 0.0 for job in jobs)
    per_s = len(jobs) / (ended - began)
    say(f"speaking: {per_s:.0f} clips/s through the path, {alone_per_s:.0f} by one host alone")
    return {"clips_per_s": per_s, "alone_per_s": alone_per_s}


def _text(number: int) -> str:
    return f"Clip number {number}."


def _jobs(batch: int) -> Sequence[dict[str, object]]:
    numbers = range(batch * BATCH, (batch + 1) * BATCH)
    return [{**ONE.submission, "text": _text(number), "score": False} for number in numbers]


def _spoken(ours: Ringtrue, ids: Sequence[str]) -> Sequence[Job]:
    database = Database(ours.settings.database_url)
    store = SqlJobStore(database)
    try:
        # The last one is looked at until it is done, and only then the rest: looking is work for the machine too.
        eventually(lambda: store.get(ids[-1:])[ids[-1]].finished, _WITHIN_S, "the last clip is spoken", 0.25)
        eventually(lambda: all(job.finished for job in store.get(ids).values()), _WITHIN_S, "all are spoken", 1.0)
        jobs = list(store.get(ids).values())
    finally:
        database.close()
    failed = {job.error.code for job in jobs if job.error is not None}
    assert not failed, f"nothing that may be timed: {failed}"
    return jobs


def _alone() -> float:
    host = EngineHost(ONE.pin)
    try:
        host.load(never_mind, 60)
        requests = [replace(ONE.spoken_alone, text=_text(number)) for number in range(_ALONE)]
        began = time.perf_counter()
        for request in requests:
            host.speak(request, sample_rate=None, deadline_s=30, tick=never_mind)
        return _ALONE / (time.perf_counter() - began)
    finally:
        host.close()
