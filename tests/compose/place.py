"""A deployment of docker-compose.yml for tests: a project of its own, secrets of its own, ports that are free."""

from __future__ import annotations

import os
import secrets
import socket
import subprocess
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import httpx

from demo.deployment import Compose, compose_command
from tests.compose.compose_file import PORT_FILE, ROOT, SECRETS, example

PROJECT = "ringtrue-live"
TAG = "live"
_LOOK_EVERY_S = 0.2


class Away(Exception):
    """The gateway answers, and the store behind it does not."""


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        port: int = listening.getsockname()[1]
        return port


class Place:
    """``folder``: for its environment file. ``wobble``: the package ringtrue-wobble, installed."""

    def __init__(self, folder: Path, wobble: Path) -> None:
        self.settings = {
            **example(),
            **{name: secrets.token_hex(24) for name in SECRETS},
            "RINGTRUE_API_KEY": f"rt_{secrets.token_hex(6)}_{secrets.token_urlsafe(32)}",
            "RINGTRUE_PORT": str(free_port()),
            "MLFLOW_PORT": str(free_port()),
            "RINGTRUE_TAG": TAG,
            "TORCH_INDEX": os.environ.get("TORCH_INDEX", example()["TORCH_INDEX"]),
            "WOBBLE": str(wobble),
        }
        self.mlflow_url = f"http://127.0.0.1:{self.settings['MLFLOW_PORT']}"
        self.settings["RINGTRUE_MLFLOW_URL"] = self.mlflow_url
        file = folder / "live.env"
        file.write_text("".join(f"{name}={value}\n" for name, value in self.settings.items()))
        named = ["--project-name", PROJECT, "--env-file", str(file)]
        files = ["--file", "docker-compose.yml", "--file", PORT_FILE, "--file", "tests/compose/wobble.yml"]
        self._command = [*compose_command(), *named, *files]
        self.compose = Compose(self._command, ROOT)
        self.http = httpx.Client(
            base_url=f"http://127.0.0.1:{self.settings['RINGTRUE_PORT']}",
            headers={"Authorization": f"Bearer {self.settings['RINGTRUE_API_KEY']}"},
            timeout=30,
        )
        self.mlflow = httpx.Client(
            base_url=self.mlflow_url, auth=("admin", self.settings["MLFLOW_PASSWORD"]), timeout=30
        )

    def submit(self, text: str, pin: str = "espeak-v2", **more: Any) -> str:
        answer = self.http.post("/v1/jobs", json={"text": text, "pin": pin, **more})
        assert answer.status_code == 202, answer.text
        return str(answer.json()["id"])

    def slow(self, sleep_s: float, count: int = 1) -> list[str]:
        """Jobs that take so long to be spoken, each."""
        options = {"sleep_s": sleep_s}
        return [
            self.submit(f"Clip {number} of {count}.", "wobble-slow", options=options, score=["signal"])
            for number in range(1, count + 1)
        ]

    def job(self, job_id: str) -> dict[str, Any]:
        answer = self.http.get(f"/v1/jobs/{job_id}")
        if answer.status_code == httpx.codes.SERVICE_UNAVAILABLE:
            raise Away(answer.text)
        assert answer.status_code == 200, answer.text
        return dict(answer.json())

    def jobs(self, job_ids: Sequence[str]) -> list[dict[str, Any]]:
        return [self.job(job_id) for job_id in job_ids]

    def eventually(self, check: Callable[[], Any], within_s: float, what: str) -> Any:
        """The first true answer; a gateway or a store that is away is asked again."""
        deadline = time.monotonic() + within_s
        while time.monotonic() < deadline:
            try:
                if answer := check():
                    return answer
            except (httpx.TransportError, Away):
                pass
            time.sleep(_LOOK_EVERY_S)
        raise AssertionError(f"not within {within_s:g} s: {what}")

    def until_tracked(self, job_ids: Sequence[str], within_s: float = 150) -> list[dict[str, Any]]:
        def tracked() -> list[dict[str, Any]] | None:
            jobs = self.jobs(job_ids)
            return jobs if all(job["tracking"]["status"] in {"done", "failed", "skipped"} for job in jobs) else None

        found: list[dict[str, Any]] = self.eventually(tracked, within_s, "all jobs are tracked")
        return found

    def rows(self, query: str) -> list[list[str]]:
        """What PostgreSQL answers, asked inside its container."""
        said = self.inside("postgres", "psql", "--host=127.0.0.1", "--username=ringtrue", "-At", "--command", query)
        return [line.split("|") for line in said.splitlines()]

    def inside(self, service: str, *command: str) -> str:
        """What a command says in a service's container."""
        password = f"PGPASSWORD={self.settings['POSTGRES_PASSWORD']}"
        asked = [*self._command, "exec", "-T", "-e", password, service, *command]
        return subprocess.run(asked, cwd=ROOT, check=True, stdout=subprocess.PIPE, text=True, timeout=60).stdout

    def runs_of(self, job_id: str) -> list[dict[str, Any]]:
        """Every run of a job in MLflow, in any experiment."""
        found = self.mlflow.get("/api/2.0/mlflow/experiments/search", params={"max_results": 100}).json()
        query = {
            "experiment_ids": [experiment["experiment_id"] for experiment in found["experiments"]],
            "filter": f"tags.`tts.job_id` = '{job_id}'",
        }
        return list(self.mlflow.post("/api/2.0/mlflow/runs/search", json=query).json().get("runs", []))

    def ids(self, service: str) -> list[str]:
        """Of a service's containers."""
        labels = (f"project={PROJECT}", f"service={service}")
        filters = [word for label in labels for word in ("--filter", f"label=com.docker.compose.{label}")]
        asked = ["docker", "ps", "--all", "--quiet", *filters]
        return subprocess.run(asked, check=True, stdout=subprocess.PIPE, text=True, timeout=60).stdout.split()

    def close(self) -> None:
        self.http.close()
        self.mlflow.close()
