"""Machines whose clocks are wrong by seconds, an hour, two days: jobs, leases and ids go by the database's clock alone.

Real processes on PostgreSQL, without a scorer; a process that is stopped while it chooses stands in nobody's way.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

import psycopg
import pytest

from shared.scheduling.fairness import window_at
from shared.store.sql import Database
from tests.postgresql import databases
from tests.shared.store import holding_the_choice
from tests.whole.stack import LEASE_S, Stack, eventually, running

HOUR_S, DAY_S = 3600.0, 86_400.0
LONG = {"pin": "wobble-slow", "options": {"sleep_s": 2 * LEASE_S}, "score": False}
SHORT = {"pin": "espeak-v2", "score": False}


@pytest.fixture(scope="module")
def database_url() -> Iterator[str]:
    with databases() as make:
        yield make()


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory, wobble_path: Path, database_url: str) -> Iterator[Stack]:
    """A gateway two days ahead, a worker 20 s behind; another worker an hour ahead and a right gateway come later."""
    wrong_by = {"gateway": 2 * DAY_S, "worker": -20.0, "worker2": HOUR_S}
    stack = Stack(tmp_path_factory.mktemp("stack"), [wobble_path], database_url, wrong_by=wrong_by)
    with running(stack, "redis", "gateway", "worker"):
        yield stack


@pytest.fixture(autouse=True)
def everything_runs() -> None:
    """Here each test says what runs."""


def _database_now(url: str) -> float:
    database = Database(url)
    try:
        return database.now()
    finally:
        database.close()


def test_a_long_job_of_a_worker_that_is_behind_is_spoken_at_its_first_attempt(stack: Stack, database_url: str) -> None:
    job = stack.until(stack.submit("A long sentence.", **LONG), lambda job: job["status"] in {"succeeded", "failed"})
    assert (job["status"], job["attempt"]) == ("succeeded", 1)
    now = _database_now(database_url)
    for moment in ("created_at", "started_at", "completed_at"):
        assert abs(datetime.fromisoformat(job[moment]).timestamp() - now) < 300


def test_usage_is_charged_to_the_present_window(stack: Stack, database_url: str) -> None:
    before = window_at(_database_now(database_url))
    stack.until(stack.submit("A short one.", **SHORT), lambda job: job["status"] == "succeeded")
    with psycopg.connect(database_url) as connection:
        windows = {window for (window,) in connection.execute("SELECT usage.window FROM usage")}
    assert windows <= {before, before + 1}


def test_a_job_of_a_dead_worker_that_was_ahead_is_spoken_by_another_soon(stack: Stack) -> None:
    stack.stop("worker")
    stack.start("worker2")
    job_id = stack.submit("A long sentence.", **LONG)
    stack.until(job_id, lambda job: job["status"] == "processing")
    stack.signal("worker2", signal.SIGKILL)
    stack.start("worker")
    job = stack.until(job_id, lambda job: job["status"] == "succeeded", within_s=90)
    assert job["attempt"] == 2


def test_the_sweepers_lease_of_a_dead_gateway_that_was_ahead_runs_out_soon(stack: Stack) -> None:
    job_id = stack.submit("A long sentence.", **LONG)
    stack.until(job_id, lambda job: job["status"] == "processing")
    stack.signal("gateway", signal.SIGKILL)
    stack.signal("worker", signal.SIGKILL)
    stack.wrong_by = {}
    stack.start("gateway", "worker")
    job = stack.until(job_id, lambda job: job["status"] == "succeeded", within_s=90)
    assert job["attempt"] == 2


def test_a_process_that_is_stopped_while_it_chooses_stops_nobody_for_long(stack: Stack, database_url: str) -> None:
    command = [sys.executable, holding_the_choice.__file__, database_url]
    env = {**os.environ, "PYTHONPATH": str(Path.cwd())}
    with subprocess.Popen(command, stdout=subprocess.PIPE, env=env) as holder:
        try:
            assert holder.stdout is not None
            assert holder.stdout.readline() == b"holding\n"
            ids = [stack.submit(f"Sentence {number}.", **SHORT) for number in range(5)]
            began = time.monotonic()
            for job_id in ids:
                stack.until(job_id, lambda job: job["status"] == "succeeded")
            assert time.monotonic() - began < 60
        finally:
            holder.kill()
            holder.send_signal(signal.SIGCONT)


def test_a_worker_killed_again_and_again_costs_its_job_nothing(stack: Stack) -> None:
    """Four times, by other hands: more often than it may fail by itself."""
    job_id = stack.submit("A long sentence.", **LONG)
    for attempt in range(1, 5):
        reached = attempt
        stack.until(job_id, lambda job: job["status"] == "processing" and job["attempt"] == reached, within_s=90)  # noqa: B023
        stack.signal("worker", signal.SIGKILL)
        stack.start("worker")
    job = stack.until(job_id, lambda job: job["status"] in {"succeeded", "failed"}, within_s=90)
    assert (job["status"], job["attempt"]) == ("succeeded", 5)
    eventually(lambda: stack.http.get("/readyz").json()["checks"]["claims"] == "ok", 30, "claims are well")
