"""A real `mlflow server` for tests: own folder, free port, can be stopped and started again."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
import urllib.request
from pathlib import Path
from typing import Any

from mlflow import MlflowClient
from mlflow.entities import Run


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


class TrackingServer:
    """One server process; what it keeps outlives it."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._port = free_port()
        self._process: subprocess.Popen[bytes] | None = None
        self.uri = f"http://127.0.0.1:{self._port}"

    def start(self) -> None:
        argv = [sys.executable, "-m", "mlflow", "server", "--host", "127.0.0.1", "--port", str(self._port)]
        argv += ["--workers", "1", "--backend-store-uri", f"sqlite:///{self._folder / 'mlflow.db'}"]
        argv += ["--artifacts-destination", str(self._folder / "artifacts")]
        env = {**os.environ, "MLFLOW_DISABLE_TELEMETRY": "true", "MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false"}
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(argv, env=env, stdout=log, stderr=log, start_new_session=True)
        deadline = time.monotonic() + 240
        while not self._answers():
            if self._process.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError(f"mlflow server did not start:\n{self.log.read_text()[-2000:]}")
            time.sleep(0.2)

    def stop(self) -> None:
        if self._process is not None:
            os.killpg(self._process.pid, 15)
            self._process.wait(timeout=30)
            self._process = None

    def remove_for_good(self, *what: str) -> None:
        """``mlflow gc`` on what was deleted: ``--run-ids`` or ``--experiment-ids`` and the ids."""
        argv = [sys.executable, "-m", "mlflow", "gc", "--backend-store-uri", f"sqlite:///{self._folder / 'mlflow.db'}"]
        argv += ["--tracking-uri", self.uri, "--artifacts-destination", str(self._folder / "artifacts")]
        subprocess.run([*argv, *what], check=True, capture_output=True)

    def begin_anew(self) -> None:
        """Lose the database, and start again."""
        self.stop()
        for file in self._folder.glob("mlflow.db*"):
            file.unlink()
        self.start()

    @property
    def log(self) -> Path:
        return self._folder / "server.log"

    def requests(self) -> int:
        """API requests answered so far."""
        return self.log.read_text().count(" /api/2.0/")

    def _answers(self) -> bool:
        try:
            with urllib.request.urlopen(f"{self.uri}/health", timeout=2):
                return True
        except OSError:
            return False


class Reader:
    """Reads runs with MLflow's own client, independent of ours."""

    def __init__(self, uri: str) -> None:
        self.client = MlflowClient(uri)

    def runs(self, job_id: str, experiment: str = "ringtrue/jobs") -> list[Run]:
        """Runs of a job that are not deleted."""
        return self._runs("tts.job_id", job_id, experiment)

    def evaluation_runs(self, evaluation_id: str, experiment: str) -> list[Run]:
        """Runs of an evaluation that are not deleted."""
        return self._runs("tts.evaluation_id", evaluation_id, experiment)

    def children(self, run: Run) -> list[Run]:
        """Runs below a run that are not deleted."""
        below = f"tags.`mlflow.parentRunId` = '{run.info.run_id}'"
        return list(self.client.search_runs([run.info.experiment_id], below))

    def _runs(self, tag: str, value: str, experiment: str) -> list[Run]:
        found = self.client.get_experiment_by_name(experiment)
        if found is None:
            return []
        return list(self.client.search_runs([found.experiment_id], f"tags.`{tag}` = '{value}'"))

    def run(self, job_id: str, experiment: str = "ringtrue/jobs") -> Run:
        [run] = self.runs(job_id, experiment)
        return run

    def files(self, run: Run, folder: Path) -> dict[str, bytes]:
        """Artifacts of a run: path -> content."""
        root = folder / "files"
        root.mkdir()
        self.client.download_artifacts(run.info.run_id, "", str(root))
        return {str(path.relative_to(root)): path.read_bytes() for path in root.rglob("*") if path.is_file()}

    def experiment_tags(self, experiment: str = "ringtrue/jobs") -> dict[str, Any]:
        found = self.client.get_experiment_by_name(experiment)
        assert found is not None
        return dict(found.tags)
