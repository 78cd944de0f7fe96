"""Processes are killed at each stage of a job: every accepted job ends succeeded, with one audio and one run.

Real processes, real Redis, real MLflow; leases are short so that the tests are.
"""

from __future__ import annotations

import hashlib
import io
import signal
import time
import wave
from typing import Any

import pytest

from tests.whole.stack import LEASE_S, Stack, eventually

SLOW = {"pin": "wobble-slow", "options": {"sleep_s": 1.5}, "score": ["signal", "asr"]}
_UNAVOIDABLE = {"scorer_error", "model_not_pulled", "needs_reference"}
SENTENCE = "The harbour was quiet before the storm."


def _speaking(job: dict[str, Any]) -> bool:
    return job["status"] in {"starting", "processing"}


def _scoring(job: dict[str, Any]) -> bool:
    return job["scoring"]["status"] == "running"


def _tracking(job: dict[str, Any]) -> bool:
    return job["tracking"]["status"] == "running"


def assert_done_once(stack: Stack, *job_ids: str) -> list[dict[str, Any]]:
    """Each job succeeded, its audio can be fetched whole, and there is exactly one finished run of it."""
    jobs = [stack.until_tracked(job_id) for job_id in job_ids]
    for job in jobs:
        assert (job["status"], job["scoring"]["status"], job["tracking"]["status"]) == ("succeeded", "done", "done")
        wav = stack.http.get(job["links"]["audio"])
        with wave.open(io.BytesIO(wav.content)) as file:
            pcm = file.readframes(file.getnframes())
        assert hashlib.sha256(pcm).hexdigest() == job["audio"]["pcm_sha256"]
        runs = stack.runs_of(job["id"])
        assert [run["info"]["status"] for run in runs] == ["FINISHED"], runs
        assert runs[0]["info"]["run_id"] == job["tracking"]["run_id"]
    return jobs


def test_a_worker_killed_while_it_speaks(stack: Stack) -> None:
    job_id = stack.submit(SENTENCE, **SLOW)
    stack.until(job_id, _speaking)
    stack.signal("worker", signal.SIGKILL)
    stack.start("worker")
    (job,) = assert_done_once(stack, job_id)
    assert job["attempt"] == 2


def test_an_engine_host_killed_while_it_speaks(stack: Stack) -> None:
    job_id = stack.submit(SENTENCE, **SLOW)
    stack.until(job_id, lambda job: job["status"] == "processing")
    stack.kill_hosts("worker")
    (job,) = assert_done_once(stack, job_id)
    assert job["attempt"] == 2


def test_a_scorer_killed_while_it_scores(stack: Stack) -> None:
    job_id = stack.submit(SENTENCE)
    stack.until(job_id, _scoring)
    stack.signal("scorer", signal.SIGKILL)
    stack.start("scorer")
    assert_done_once(stack, job_id)


def test_a_metric_host_killed_while_it_measures_costs_some_values_only(stack: Stack) -> None:
    job_id = stack.submit(SENTENCE)
    stack.until(job_id, _scoring)
    stack.kill_hosts("scorer")
    (job,) = assert_done_once(stack, job_id)
    values = job["scoring"]["scores"].values()
    assert any("value" in value for value in values)
    assert {value["unscored"] for value in values if "unscored" in value} <= _UNAVOIDABLE


def test_a_scorer_killed_while_it_logs_runs(stack: Stack) -> None:
    job_ids = [stack.submit(f"Clip number {number} of a batch.", score=["signal"]) for number in range(6)]
    eventually(lambda: any(_tracking(stack.job(job_id)) for job_id in job_ids), 60, "a run is being logged")
    stack.signal("scorer", signal.SIGKILL)
    stack.start("scorer")
    assert_done_once(stack, *job_ids)


@pytest.mark.parametrize("stage", ["queued", "speaking", "scoring", "tracking"])
def test_redis_killed(stack: Stack, stage: str) -> None:
    job_id = stack.submit(SENTENCE, **SLOW)
    reached = {"queued": lambda _: True, "speaking": _speaking, "scoring": _scoring, "tracking": _tracking}[stage]
    stack.until(job_id, reached)
    stack.signal("redis", signal.SIGKILL)
    accepted_meanwhile = stack.submit("Accepted while Redis was away.", score=["signal"])
    time.sleep(1)
    stack.start("redis")
    assert_done_once(stack, job_id, accepted_meanwhile)


@pytest.mark.parametrize("stage", ["queued", "speaking", "scoring", "tracking"])
def test_the_gateway_killed(stack: Stack, stage: str) -> None:
    job_id = stack.submit(SENTENCE, **SLOW)
    reached = {"queued": lambda _: True, "speaking": _speaking, "scoring": _scoring, "tracking": _tracking}[stage]
    stack.until(job_id, reached)
    stack.signal("gateway", signal.SIGKILL)
    stack.start("gateway")
    assert_done_once(stack, job_id)


def test_redis_flushed_with_jobs_in_the_queue(stack: Stack) -> None:
    stack.signal("worker", signal.SIGSTOP)
    job_ids = [stack.submit(f"Sentence {number} in the queue.", score=["signal"]) for number in range(3)]
    stack.redis().flushall()
    stack.signal("worker", signal.SIGCONT)
    assert_done_once(stack, *job_ids)


def test_a_worker_that_stood_still_past_its_lease_writes_nothing(stack: Stack) -> None:
    job_id = stack.submit(SENTENCE, **SLOW)
    stack.until(job_id, lambda job: job["status"] == "processing")
    stack.signal("worker", signal.SIGSTOP)
    try:
        time.sleep(LEASE_S + 1)
        stack.start("worker2")
        (job,) = assert_done_once(stack, job_id)
    finally:
        stack.signal("worker", signal.SIGCONT)
    assert job["attempt"] == 2
    eventually(lambda: "; its result is dropped" in stack.log("worker"), 30, "the late worker notices")
    assert stack.job(job_id) == job
    assert len(stack.runs_of(job_id)) == 1
    stack.stop("worker2")


def test_mlflow_stopped_and_started_again(stack: Stack) -> None:
    stack.signal("mlflow", signal.SIGTERM)
    stack.processes["mlflow"].wait(30)
    job_id = stack.submit(SENTENCE, score=["signal"])
    job = stack.until(job_id, lambda job: job["scoring"]["status"] == "done")
    assert job["tracking"]["status"] in {"pending", "running"}
    assert stack.http.get(job["links"]["audio"]).is_success
    stack.start("mlflow")
    assert_done_once(stack, job_id)


def test_a_text_that_crashes_its_host_every_time_fails_and_the_next_is_served(stack: Stack) -> None:
    poison = stack.submit("kaboom", pin="wobble-crash")
    harmless = stack.submit("All is well.", pin="wobble-crash", score=["signal"])
    job = stack.until_tracked(poison)
    assert (job["status"], job["error"]["code"], job["attempt"]) == ("failed", "engine_crashed", 3)
    assert [run["info"]["status"] for run in stack.runs_of(poison)] == ["FAILED"]
    assert_done_once(stack, harmless)


def test_a_text_that_hangs_its_host_ends_at_its_deadline(stack: Stack) -> None:
    hanging = stack.submit("standstill", pin="wobble-hang", timeout_s=2)
    job = stack.until(hanging, lambda job: job["status"] == "failed")
    assert job["error"]["code"] == "engine_timeout"
    assert_done_once(stack, stack.submit("All is well.", pin="wobble-hang", score=["signal"]))


def test_cancel_reaches_a_job_that_is_being_spoken(stack: Stack) -> None:
    job_id = stack.submit(SENTENCE, pin="wobble-slow", options={"sleep_s": 60})
    stack.until(job_id, lambda job: job["status"] == "processing")
    stack.http.post(f"/v1/jobs/{job_id}/cancel")
    stack.until(job_id, lambda job: job["status"] == "canceled", 10)
    assert [run["info"]["status"] for run in stack.runs_when_tracked(job_id)] == ["KILLED"]


def test_everything_killed_at_once(stack: Stack) -> None:
    job_ids = [stack.submit(f"Sentence {number} of many.") for number in range(4)]
    job_ids += [stack.submit(SENTENCE, **SLOW)]
    for name in ("gateway", "worker", "scorer", "redis", "mlflow"):
        stack.signal(name, signal.SIGKILL)
    stack.start("redis", "mlflow", "gateway", "worker", "scorer")
    assert_done_once(stack, *job_ids)
