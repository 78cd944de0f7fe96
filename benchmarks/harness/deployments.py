"""The two sides of a comparison as deployments: Ringtrue, and the script in naive_server.py.

Owns their processes and addresses. Ringtrue's are those of ``ringtrue up``, option for option; of either side only what
a measurement needs is started.
"""

from __future__ import annotations

import contextlib
import os
import secrets
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx
import psycopg

from benchmarks.harness.processes import Processes, environment
from services.embedded.app import fitting_scorer_slots
from services.embedded.parts.redis_server import redis_binary
from services.embedded.preflight import free_port
from services.embedded.processes.child import ChildSpec, answers_http, answers_ping
from services.embedded.stack import Given, StackOptions, plan_stack
from shared.settings import read_settings

POSTGRESQL = "postgresql://127.0.0.1:5432/postgres"
"""Where a throw-away database is made, as the user of the system that runs the benchmark."""


class NotInTime(Exception):
    """What a measurement waits for did not happen."""


def eventually(reached: Callable[[], bool], within_s: float, what: str, look_every_s: float = 0.02) -> None:
    """Wait until ``reached``; `NotInTime` names ``what`` was not."""
    deadline = time.monotonic() + within_s
    while not reached():
        if time.monotonic() > deadline:
            raise NotInTime(f"not within {within_s:g} s: {what}")
        time.sleep(look_every_s)


class Ringtrue:
    """Our side. ``name`` tells several of one measurement apart; SQLite in its folder unless a database is given."""

    def __init__(
        self,
        processes: Processes,
        name: str = "ringtrue",
        database_url: str | None = None,
        worker_slots: int | None = None,
    ) -> None:
        self._processes = processes
        data = processes.folder / name
        data.mkdir()
        environ = {**environment(), "RINGTRUE_DATA": str(data)}
        if database_url is not None:
            environ["RINGTRUE_DATABASE_URL"] = database_url
        self.settings = read_settings(environ)
        scorer_slots = fitting_scorer_slots()  # as `ringtrue up` has it
        options = StackOptions(port=0, worker_slots=worker_slots, scorer_slots=scorer_slots)
        plan = plan_stack(options, self.settings, Given(), environ)
        processes.afterwards(plan.held.close)
        self._specs = {spec.name: spec for spec in plan.specs}
        self._environ = plan.env
        self._name = name
        self.url, self.mlflow = plan.urls["api"], plan.urls["mlflow"]
        self.http = httpx.Client(base_url=self.url, timeout=60, trust_env=False)
        processes.afterwards(self.http.close)

    def start(self, *names: str) -> None:
        for name in names:
            spec = self._specs[name]
            self._processes.start(_renamed(spec, self._process(name)), self._environ)

    def stop(self, *names: str) -> None:
        self._processes.stop(*map(self._process, names))

    def pid(self, name: str) -> int:
        return self._processes.pid(self._process(name))

    def publish_pins(self) -> None:
        """Let a worker say what it can do; jobs for its pins are accepted from then on, worker or not."""
        self.start("worker")
        eventually(lambda: bool(self.http.get("/v1/pins").json()["data"]), 20, "pins are known")
        self.stop("worker")

    def submit(self, jobs: Sequence[Mapping[str, Any]]) -> list[str]:
        """Ids of ``jobs``, at most 1000, all accepted."""
        answer = self.http.post("/v1/jobs:batch", json={"jobs": list(jobs)}).raise_for_status().json()
        assert not answer["refused"], answer["data"]
        return [entry["job"]["id"] for entry in answer["data"]]

    def _process(self, name: str) -> str:
        return f"{self._name}-{name}"


class Naive:
    """The other side."""

    def __init__(self, processes: Processes) -> None:
        self._processes = processes
        redis_port, port = free_port(), free_port()
        self.url = f"http://127.0.0.1:{port}"
        self._env = {**environment(), "NAIVE_REDIS_URL": f"redis://127.0.0.1:{redis_port}/0"}
        self._specs = {spec.name: spec for spec in (_redis(processes.folder, redis_port), _server(port), _worker())}
        self.http = httpx.Client(base_url=self.url, timeout=60, trust_env=False)
        processes.afterwards(self.http.close)

    def start(self, *names: str) -> None:
        for name in names:
            self._processes.start(self._specs[f"naive-{name}"], self._env)
            if name == "worker":
                self._await_first_task()

    def stop(self, *names: str) -> None:
        self._processes.stop(*(f"naive-{name}" for name in names))

    def submit(self, job: Mapping[str, Any]) -> str:
        return str(self.http.post("/jobs", json=dict(job)).raise_for_status().json()["id"])

    def result(self, job_id: str) -> float | None:
        """When the task was started, once it is done."""
        answer = self.http.get(f"/jobs/{job_id}").raise_for_status().json()
        return None if answer["result"] is None else float(answer["result"])

    def _await_first_task(self) -> None:
        first = self.submit({"text": "Ready?", "pin": "none"})
        eventually(lambda: self.result(first) is not None, 60, "the baseline's worker has done a task")


def _renamed(spec: ChildSpec, name: str) -> ChildSpec:
    return replace(spec, name=name, after=())


def _redis(folder: Path, port: int) -> ChildSpec:
    keep = ["--save", "", "--appendonly", "no", "--dir", str(folder)]
    argv = [str(redis_binary()), "--port", str(port), "--bind", "127.0.0.1", *keep]
    return ChildSpec("naive-redis", argv, answers_ping(port))


def _server(port: int) -> ChildSpec:
    """uvicorn with the event loop and the parser that our gateway uses too."""
    argv = [
        sys.executable,
        "-m",
        "uvicorn",
        "benchmarks.baselines.naive_server:app",
        "--host",
        "127.0.0.1",
        "--port",
        str(port),
    ]
    argv += ["--loop", "uvloop", "--http", "httptools", "--no-access-log", "--log-level", "warning"]
    return ChildSpec("naive-server", argv, answers_http("127.0.0.1", port, "/openapi.json"))


def _worker() -> ChildSpec:
    argv = [sys.executable, "-m", "celery", "--app", "benchmarks.baselines.naive_server:tasks", "worker"]
    argv += ["--pool", "prefork", "--concurrency", "2", "--loglevel", "WARNING"]
    return ChildSpec("naive-worker", argv, lambda _: True)


@contextlib.contextmanager
def throw_away_database() -> Iterator[str | None]:
    """URL of a PostgreSQL database of one's own, dropped afterwards; ``None`` where no server is reachable."""
    try:
        server = psycopg.connect(POSTGRESQL, autocommit=True, connect_timeout=2)
    except psycopg.OperationalError:
        yield None
        return
    name = f"ringtrue_bench_{os.getpid()}_{secrets.token_hex(4)}"
    with server:
        server.execute(f'CREATE DATABASE "{name}"')
        try:
            yield POSTGRESQL.rsplit("/", 1)[0] + f"/{name}"
        finally:
            server.execute(f'DROP DATABASE "{name}" WITH (FORCE)')
