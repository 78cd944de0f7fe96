"""Real processes of one deployment, started, killed and looked at by tests. Loopback and a folder of its own."""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import psutil
from redis import Redis

from services.embedded.parts.redis_server import redis_binary

LEASE_S = 3.0
SKEWED = Path(__file__).with_name("skewed.py")
FINISHED = {"succeeded", "failed", "canceled", "expired"}


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def eventually(check: Callable[[], Any], within_s: float, what: str) -> Any:
    """The first true answer of ``check``; fails by name after ``within_s``."""
    deadline = time.monotonic() + within_s
    while time.monotonic() < deadline:
        try:
            if answer := check():
                return answer
        except httpx.TransportError:
            pass
        time.sleep(0.05)
    raise AssertionError(f"not within {within_s:g} s: {what}")


@dataclass
class Stack:
    """One deployment. ``database``: SQLAlchemy URL; SQLite in the folder by default."""

    folder: Path
    python_path: Sequence[Path] = ()
    database: str | None = None
    models: Path | None = None
    """The store of weights; default: where the tests' weights lie."""
    wrong_by: Mapping[str, float] = field(default_factory=dict)
    """Seconds by which the clock of a process's machine is ahead, by its name."""
    trees: Mapping[str, Path] = field(default_factory=dict)
    """The source tree that a process runs from, by its name; default: this one."""
    redis_port: int = field(default_factory=free_port)
    mlflow_port: int = field(default_factory=free_port)
    gateway_port: int = field(default_factory=free_port)
    processes: dict[str, subprocess.Popen[bytes]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.url = f"http://127.0.0.1:{self.gateway_port}"
        self.mlflow_url = f"http://127.0.0.1:{self.mlflow_port}"
        self.redis_url = f"redis://127.0.0.1:{self.redis_port}/0"
        self.http = httpx.Client(base_url=self.url, timeout=70)
        self.mlflow = httpx.Client(base_url=self.mlflow_url, timeout=30)

    # -- processes ---------------------------------------------------------------------------------------------
    def _environment(self) -> Mapping[str, str]:
        own = {name: value for name, value in os.environ.items() if not name.startswith(("RINGTRUE_", "MLFLOW_"))}
        models = {"RINGTRUE_MODELS": str(self.models or os.environ.get("RINGTRUE_TEST_DATA", ""))}
        return {
            **own,
            **models,
            "PYTHONPATH": os.pathsep.join(map(str, [*self.python_path, *([Path.cwd()] if self.wrong_by else [])])),
            "RINGTRUE_DATA": str(self.folder),
            "RINGTRUE_DATABASE_URL": self.database or f"sqlite:///{self.folder / 'ringtrue.db'}",
            "RINGTRUE_REDIS_URL": self.redis_url,
            "MLFLOW_TRACKING_URI": self.mlflow_url,
            "MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false",
        }

    def _environment_of(self, name: str) -> dict[str, str]:
        """And its source tree, from which the processes that it starts run too."""
        environment = dict(self._environment())
        if tree := self.trees.get(name):
            paths = [str(tree), str(tree / "client"), environment["PYTHONPATH"]]
            environment["PYTHONPATH"] = os.pathsep.join(filter(None, paths))
        return environment

    def _command(self, name: str) -> list[str]:
        module = f"services.{name.rstrip('0123456789')}"
        service = [sys.executable, "-m", module]
        if wrong_by := self.wrong_by.get(name):
            service = [sys.executable, str(SKEWED), str(wrong_by), module]
        match name.rstrip("0123456789"):
            case "redis":
                keep = ["--appendonly", "yes", "--dir", str(self.folder), "--bind", "127.0.0.1"]
                return [str(redis_binary()), "--port", str(self.redis_port), "--save", "", *keep]
            case "mlflow":
                store = [f"--backend-store-uri=sqlite:///{self.folder / 'mlflow.db'}", "--workers=1"]
                artifacts = f"--artifacts-destination={self.folder / 'artifacts'}"
                listen = ["--host=127.0.0.1", f"--port={self.mlflow_port}"]
                return [sys.executable, "-m", "mlflow", "server", *store, artifacts, *listen]
            case "gateway":
                return [*service, "--port", str(self.gateway_port), "--sweep-every", "0.5"]
            case "worker":
                return [*service, "--lease", str(LEASE_S)]
            case _:
                return [*service, "--lease", str(LEASE_S), "--no-warm"]

    def ringtrue(self, *arguments: str, before: Sequence[str] = ()) -> str:
        """What a local command of ``ringtrue`` prints; it must end well. ``before``: what it is run by."""
        command = [*before, sys.executable, "-m", "ringtrue", *arguments]
        env = dict(self._environment())
        done = subprocess.run(command, env=env, capture_output=True, text=True, timeout=800, check=False)
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    def start(self, *names: str) -> None:
        """Start what is named and wait until it is ready."""
        for name in names:
            log = (self.folder / f"{name}.log").open("ab")
            self.processes[name] = subprocess.Popen(
                self._command(name),
                cwd=self.trees.get(name),
                env=self._environment_of(name),
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        for name in names:
            eventually(lambda name=name: self._ready(name), 90, f"{name} is ready; see {self.folder}/{name}.log")

    def _ready(self, name: str) -> bool:
        assert self.processes[name].poll() is None, self.log(name)
        match name.rstrip("0123456789"):
            case "redis":
                with socket.socket() as probe:
                    return probe.connect_ex(("127.0.0.1", self.redis_port)) == 0
            case "mlflow":
                return self.mlflow.get("/health").is_success
            case "gateway":
                return self.http.get("/readyz").is_success
            case _:
                return f"{name.rstrip('0123456789')}: ready" in self.log(name)

    def log(self, name: str) -> str:
        return (self.folder / f"{name}.log").read_text(errors="replace")

    def signal(self, name: str, number: signal.Signals) -> None:
        """Send a signal to the one process that is named, not to its children; MLflow is several, which go together."""
        if name == "mlflow":
            os.killpg(self.processes[name].pid, number)
        else:
            self.processes[name].send_signal(number)
        if number == signal.SIGKILL:
            self.processes[name].wait(30)
            (self.folder / f"{name}.log").write_text("")

    def hosts(self, name: str) -> list[psutil.Process]:
        """Child processes of one process."""
        return psutil.Process(self.processes[name].pid).children(recursive=True)

    def kill_hosts(self, name: str) -> None:
        """And what they stand below; some go with the first."""
        for host in self.hosts(name):
            with contextlib.suppress(psutil.NoSuchProcess):
                host.kill()

    def redis(self) -> Redis:
        return Redis.from_url(self.redis_url)

    def stop(self, name: str) -> None:
        """Stop one process as an operator would, and forget it."""
        process = self.processes.pop(name)
        if process.poll() is None:
            process.send_signal(signal.SIGCONT)
            process.terminate()
            try:
                process.wait(20)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)

    def close(self) -> None:
        """Stop everything, the last started first."""
        for name in reversed(list(self.processes)):
            self.stop(name)
        self.http.close()
        self.mlflow.close()

    # -- jobs --------------------------------------------------------------------------------------------------
    def submit(self, text: str, pin: str = "espeak-v2", **more: Any) -> str:
        answer = self.http.post("/v1/jobs", json={"text": text, "pin": pin, **more})
        assert answer.status_code == 202, answer.text
        job_id: str = answer.json()["id"]
        return job_id

    def job(self, job_id: str) -> dict[str, Any]:
        answer = self.http.get(f"/v1/jobs/{job_id}")
        assert answer.status_code == 200, answer.text
        found: dict[str, Any] = answer.json()
        return found

    def until(self, job_id: str, reached: Callable[[dict[str, Any]], bool], within_s: float = 60) -> dict[str, Any]:
        """The job once it is as asked for."""

        def look() -> dict[str, Any] | None:
            job = self.job(job_id)
            return job if reached(job) else None

        found: dict[str, Any] = eventually(look, within_s, f"{job_id}: {self.job(job_id)}")
        return found

    def until_tracked(self, job_id: str, within_s: float = 90) -> dict[str, Any]:
        return self.until(job_id, lambda job: job["tracking"]["status"] in {"done", "failed", "skipped"}, within_s)

    def runs_of(self, job_id: str) -> list[dict[str, Any]]:
        """Every MLflow run of a job, in any experiment."""
        found = self.mlflow.get("/api/2.0/mlflow/experiments/search", params={"max_results": 100}).json()
        experiments = [experiment["experiment_id"] for experiment in found.get("experiments", [])]
        query = {"experiment_ids": experiments, "filter": f"tags.`tts.job_id` = '{job_id}'"}
        answer = self.mlflow.post("/api/2.0/mlflow/runs/search", json=query).json()
        runs: list[dict[str, Any]] = answer.get("runs", [])
        return runs

    def runs_when_tracked(self, job_id: str) -> list[dict[str, Any]]:
        self.until_tracked(job_id)
        return self.runs_of(job_id)


@contextmanager
def running(stack: Stack, *names: str) -> Iterator[Stack]:
    """A stack with these processes, gone afterwards."""
    try:
        stack.start(*names)
        yield stack
    finally:
        stack.close()
