"""The deployment that suffers: real processes on PostgreSQL, with a Redis, an MLflow and a disk for audio of its own.

Owns how each process is started, killed and found again. Knows no fault.
"""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import psutil
from redis import Redis

from tests.redis_servers import server_binary

LEASE_S = 3.0
ROOT = Path(__file__).parents[3]


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def eventually(check: Callable[[], Any], within_s: float, what: str) -> Any:
    deadline = time.monotonic() + within_s
    while time.monotonic() < deadline:
        with contextlib.suppress(httpx.TransportError):
            if answer := check():
                return answer
        time.sleep(0.1)
    raise TimeoutError(f"not within {within_s:g} s: {what}")


@dataclass
class Deployment:
    """``names``: what runs, such as ``worker2``; the kind is the name without its number."""

    folder: Path
    database: str
    blobs: Path
    names: Sequence[str]
    python_path: Sequence[Path] = ()
    redis_port: int = field(default_factory=free_port)
    mlflow_port: int = field(default_factory=free_port)
    processes: dict[str, subprocess.Popen[bytes]] = field(default_factory=dict)
    skews: dict[str, float] = field(default_factory=dict)
    seen: dict[int, float] = field(default_factory=dict)
    """Every process that ever belonged to it: pid -> when it began."""
    changing: threading.RLock = field(default_factory=threading.RLock)

    def __post_init__(self) -> None:
        self.ports = {name: free_port() for name in self.names if kind_of(name) == "gateway"}
        (self.folder / "redis").mkdir(parents=True, exist_ok=True)

    @property
    def redis_url(self) -> str:
        return f"redis://127.0.0.1:{self.redis_port}/0"

    @property
    def mlflow_url(self) -> str | None:
        return f"http://127.0.0.1:{self.mlflow_port}" if "mlflow" in self.names else None

    def url(self, gateway: str) -> str:
        return f"http://127.0.0.1:{self.ports[gateway]}"

    def of_kind(self, *kinds: str) -> list[str]:
        return [name for name in self.names if kind_of(name) in kinds]

    def redis(self) -> Redis:
        return Redis(port=self.redis_port, socket_timeout=5, socket_connect_timeout=5)

    # -- processes ---------------------------------------------------------------------------------------------
    def start(self, *names: str) -> None:
        with self.changing:
            for name in names:
                with (self.folder / f"{name}.log").open("ab") as log:
                    self.processes[name] = subprocess.Popen(
                        self._command(name), env=self._environment(), stdout=log, stderr=log, start_new_session=True,
                        cwd=ROOT,
                    )  # fmt: skip
                self.remember()

    def wait(self, *names: str, within_s: float = 120) -> None:
        for name in names:
            eventually(lambda name=name: self.ready(name), within_s, f"{name} is ready; see {self.folder}/{name}.log")

    def ready(self, name: str) -> bool:
        assert self.alive(name), (self.folder / f"{name}.log").read_text(errors="replace")[-3000:]
        match kind_of(name):
            case "redis":
                with socket.socket() as probe:
                    return probe.connect_ex(("127.0.0.1", self.redis_port)) == 0
            case "mlflow":
                return httpx.get(f"{self.mlflow_url}/health", timeout=5).is_success
            case "gateway":
                return httpx.get(f"{self.url(name)}/readyz", timeout=5).is_success
            case kind:
                return f"{kind}: ready" in (self.folder / f"{name}.log").read_text(errors="replace")

    def alive(self, name: str) -> bool:
        process = self.processes.get(name)
        return process is not None and process.poll() is None

    def kill(self, name: str) -> None:
        """With SIGKILL, the one process that is named; MLflow is several, which go together."""
        with self.changing:
            self.remember()
            process = self.processes[name]
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL) if name == "mlflow" else process.kill()
            process.wait(30)

    def pause(self, name: str) -> None:
        self.processes[name].send_signal(signal.SIGSTOP)

    def resume(self, name: str) -> None:
        with contextlib.suppress(ProcessLookupError):
            self.processes[name].send_signal(signal.SIGCONT)

    def remember(self) -> None:
        """Note what belongs to it now, so that what outlives its parent is known."""
        for process in self.processes.values():
            with contextlib.suppress(psutil.Error):
                parent = psutil.Process(process.pid)
                for one in (parent, *parent.children(recursive=True)):
                    self.seen[one.pid] = one.create_time()

    def left(self) -> list[psutil.Process]:
        """Those of ``seen`` that still run."""
        found = []
        for pid, began in self.seen.items():
            with contextlib.suppress(psutil.Error):
                process = psutil.Process(pid)
                if process.create_time() == began and process.status() != psutil.STATUS_ZOMBIE:
                    found.append(process)
        return found

    # -- commands ----------------------------------------------------------------------------------------------
    def _environment(self) -> dict[str, str]:
        own = {name: value for name, value in os.environ.items() if not name.startswith(("RINGTRUE_", "MLFLOW_"))}
        models = {"RINGTRUE_MODELS": os.environ["RINGTRUE_TEST_DATA"]} if "RINGTRUE_TEST_DATA" in os.environ else {}
        tracking = {"MLFLOW_TRACKING_URI": self.mlflow_url} if self.mlflow_url else {}
        return {
            **own,
            **models,
            **tracking,
            "OMP_NUM_THREADS": "1",
            "PYTHONPATH": os.pathsep.join(map(str, self.python_path)),
            "RINGTRUE_DATA": str(self.folder / "data"),
            "RINGTRUE_BLOBS": str(self.blobs),
            "RINGTRUE_DATABASE_URL": self.database,
            "RINGTRUE_REDIS_URL": self.redis_url,
            "MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false",
        }

    def _command(self, name: str) -> list[str]:
        kind, lease = kind_of(name), ["--lease", str(LEASE_S)]
        match kind:
            case "redis":
                keep = ["--appendonly", "yes", "--save", "", "--dir", str(self.folder / "redis")]
                return [str(server_binary()), "--port", str(self.redis_port), "--bind", "127.0.0.1", *keep]
            case "mlflow":
                store = [f"--backend-store-uri=sqlite:///{self.folder / 'mlflow.db'}", "--workers=1"]
                listen = ["--host=127.0.0.1", f"--port={self.mlflow_port}"]
                artifacts = f"--artifacts-destination={self.folder / 'artifacts'}"
                return [sys.executable, "-m", "mlflow", "server", *store, artifacts, *listen]
            case "gateway":
                return self._service(name, ["--port", str(self.ports[name]), "--sweep-every", "0.5"])
            case "worker":
                return self._service(name, lease)
            case _:
                return self._service(name, [*lease, "--no-warm"])

    def _service(self, name: str, arguments: Sequence[str]) -> list[str]:
        module, skew = f"services.{kind_of(name)}", self.skews.get(name)
        if skew is None:
            return [sys.executable, "-m", module, *arguments]
        return [sys.executable, "-m", "tests.whole.chaos.skewed", str(skew), module, *arguments]

    def close(self) -> list[str]:
        """Kill everything but the children of services, which are to end by themselves; what did not is named."""
        for name in list(self.processes):
            self.resume(name)
            self.kill(name)
        with contextlib.suppress(TimeoutError):
            eventually(lambda: not self.left(), 15, "every child has ended")
        left = self.left()
        outlived = [describe(process) for process in left]
        for process in left:
            with contextlib.suppress(psutil.Error):
                process.kill()
        return outlived


def kind_of(name: str) -> str:
    return name.rstrip("0123456789")


def describe(process: psutil.Process) -> str:
    try:
        return f"{process.pid}: {' '.join(process.cmdline())[:120]}"
    except psutil.Error:
        return str(process.pid)


@contextmanager
def running(deployment: Deployment, outlived: list[str]) -> Iterator[Mapping[str, Any]]:
    """Everything started within the block; killed afterwards, and what outlived that is added to ``outlived``."""
    try:
        first = [name for name in deployment.names if kind_of(name) in ("redis", "mlflow")]
        deployment.start(*first)
        deployment.wait(*first)
        services = [name for name in deployment.names if name not in first]
        deployment.start(*services)
        deployment.wait(*services)
        yield {}
    finally:
        outlived += deployment.close()
