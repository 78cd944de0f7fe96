"""A set-up with nothing wrong: every check has its line, none fails, and nothing was left behind."""

from __future__ import annotations

import os
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from services.doctor.panel import CHECKS
from tests.doctor.breakages import a_redis, a_web_server, catalog, closed_port, locked, pulled
from tests.doctor.patient import ROOT, doctor, environ_of, examined

POSTGRESQL = os.environ.get("RINGTRUE_TEST_DATABASE_URL", "postgresql://root@127.0.0.1:5432/postgres")


@pytest.fixture
def mlflow_url(tmp_path: Path) -> Iterator[str]:
    """A real MLflow server."""
    port = closed_port()
    argv = [sys.executable, "-m", "mlflow", "server", "--host", "127.0.0.1", "--port", str(port), "--workers", "1"]
    argv += ["--backend-store-uri", f"sqlite:///{tmp_path / 'mlflow.db'}"]
    environ = {**os.environ, "MLFLOW_DISABLE_TELEMETRY": "true", "MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false"}
    server = subprocess.Popen(argv, env=environ, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    url = f"http://127.0.0.1:{port}"
    deadline = time.monotonic() + 120
    while not _is_up(f"{url}/health"):
        assert time.monotonic() < deadline
        assert server.poll() is None
        time.sleep(0.2)
    yield url
    server.terminate()
    server.wait(timeout=30)


def _is_up(url: str) -> bool:
    try:
        with urllib.request.urlopen(url, timeout=5):
            return True
    except OSError:
        return False


def test_with_nothing_set_every_check_is_content(tmp_path: Path) -> None:
    data = tmp_path / "made" / "when needed"
    diagnosis = examined(data, options=("--port", str(closed_port())))
    assert diagnosis.code == 0, diagnosis.lines
    assert list(diagnosis.lines) == list(CHECKS)
    assert list(tmp_path.iterdir()) == []


def test_with_servers_and_pins_of_ones_own(tmp_path: Path, mlflow_url: str) -> None:
    data = tmp_path / "data"
    with a_redis(tmp_path) as redis_url, a_web_server({"/": (403, "")}) as mirror:
        catalog(data, source=f'url = "{mirror}/models"')
        pulled(data, locked(data))
        checks = ("redis", "clock", "mlflow", "locks", "memory", "mirrors", "disk")
        settings = {"RINGTRUE_REDIS_URL": redis_url, "MLFLOW_TRACKING_URI": mlflow_url, "HF_ENDPOINT": mirror}
        diagnosis = examined(data, *checks, **settings)
    assert diagnosis.code == 0, diagnosis.lines
    assert {line.status for check in checks[:-1] for line in diagnosis.lines[check]} == {"ok"}, diagnosis.lines
    assert "MLflow 3." in diagnosis.line("mlflow").says
    assert "tiny-v21: pulled and unchanged" in diagnosis.line("locks").says


def test_a_postgresql_that_answers(tmp_path: Path) -> None:
    try:
        psycopg.connect(POSTGRESQL, connect_timeout=3).close()
    except psycopg.OperationalError:
        if os.environ.get("CI"):
            raise
        pytest.skip("no PostgreSQL at RINGTRUE_TEST_DATABASE_URL")
    assert examined(tmp_path, "database", RINGTRUE_DATABASE_URL=POSTGRESQL).line("database").status == "ok"


def test_a_check_that_does_not_exist_is_a_wrong_command_line(tmp_path: Path) -> None:
    done = doctor(tmp_path, "--only", "rediss")
    assert (done.returncode, done.stdout) == (64, "")
    assert "unknown check rediss; known: python, settings" in done.stderr


def test_what_it_says_is_a_line_per_finding(tmp_path: Path) -> None:
    done = doctor(tmp_path, "--only", "data", "--only", "placeholders")
    assert done.stdout.splitlines() == [
        "ok    placeholders no placeholder packages",
        f"ok    data         {tmp_path}",
    ]


def test_a_reader_who_goes_is_no_verdict(tmp_path: Path) -> None:
    command = '"$0" -m ringtrue doctor --only placeholders --only data | true; exit ${PIPESTATUS[0]}'
    done = subprocess.run(
        ["bash", "-c", command, sys.executable], cwd=ROOT, env=environ_of(tmp_path, {}), timeout=120, check=False
    )
    assert done.returncode == 141
