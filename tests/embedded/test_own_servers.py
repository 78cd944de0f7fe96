"""The stack's own Redis and MLflow, the real ones."""

from __future__ import annotations

import http.client
import json
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import redis

from services.embedded.child import Child, ChildSpec
from services.embedded.journal import Follower
from services.embedded.mlflow_server import mlflow_spec
from services.embedded.preflight import free_port
from services.embedded.redis_server import redis_spec


@contextmanager
def running(spec: ChildSpec, log: Path) -> Iterator[Child]:
    log.touch()
    follower = Follower(log)
    child = Child(spec, os.environ, log)
    try:
        while not spec.ready(follower.lines()):
            assert not child.ended(), log.read_text()
            assert child.ran_s < spec.ready_within_s, log.read_text()
            time.sleep(0.1)
        yield child
        child.terminate()
        deadline = time.monotonic() + spec.grace_s
        while not child.ended() and time.monotonic() < deadline:
            time.sleep(0.05)
        assert child.ended(), "it did not end when asked"
    finally:
        child.reap()
        follower.close()


def test_redis_keeps_a_key_over_a_restart(tmp_path: Path) -> None:
    folder = tmp_path / "data of mine" / "redis"  # with blanks, as home folders may have
    for expected in (None, b"rung"):
        port = free_port()
        with running(redis_spec(folder, port), tmp_path / "redis.log"), redis.Redis(port=port) as client:
            assert client.get("bell") == expected
            client.set("bell", "rung")
            assert client.config_get("appendonly")["appendonly"] == "yes"
            assert client.config_get("appendfsync")["appendfsync"] == "everysec"


def test_redis_keeps_to_loopback_and_its_folder_to_its_user(tmp_path: Path) -> None:
    port = free_port()
    with running(redis_spec(tmp_path / "redis", port), tmp_path / "redis.log"), redis.Redis(port=port) as client:
        assert client.config_get("bind")["bind"] == "127.0.0.1"
    assert (tmp_path / "redis").stat().st_mode & 0o077 == 0


@pytest.mark.timeout(180)
def test_mlflow_serves_runs_and_artifacts_and_ends_when_asked(tmp_path: Path) -> None:
    port = free_port()
    with running(mlflow_spec(tmp_path / "mlflow", port), tmp_path / "mlflow.log"):
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
        connection.request("GET", "/api/2.0/mlflow/experiments/get?experiment_id=0")
        experiment = json.loads(connection.getresponse().read())["experiment"]
        assert experiment["artifact_location"].startswith("mlflow-artifacts:")
        connection.request("PUT", "/api/2.0/mlflow-artifacts/artifacts/0/picture.png", body=b"PNG")
        assert connection.getresponse().status == 200
    assert (tmp_path / "mlflow" / "artifacts" / "0" / "picture.png").read_bytes() == b"PNG"
