"""The demo on a deployment: it starts what does not run, stops that again, and nothing else.

On a stack of its own it stops that, and what it printed of runs and jobs can be looked up later."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from demo.deployment import deployed_stack
from demo.failure import DemoFailed
from demo.stack import Stack, own_stack

FAKE = Path(__file__).with_name("fake_docker.py")
FAKE_UP = """#!%s
import json, os, pathlib, signal, sys

signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGTERM])
data = pathlib.Path(sys.argv[sys.argv.index("--data") + 1])
(data / "runs").write_text("kept")
urls = {"api": "http://127.0.0.1:48000", "mlflow": "http://127.0.0.1:45000"}
(data / "new").write_text(json.dumps({"ready": True, "supervisor": {"pid": os.getpid()}, "urls": urls}))
(data / "new").rename(data / "stack.json")
signal.sigwait([signal.SIGTERM])
"""


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Of a deployment of which nothing runs; ``docker`` and ``docker-compose`` are the fake, and all that PATH has."""
    (tmp_path / "running").write_text("")
    (tmp_path / ".env").write_text("# secrets\n#RINGTRUE_API_KEY=rt_old\nRINGTRUE_API_KEY=rt_key\n")
    for name in ("docker", "docker-compose"):
        command = tmp_path / "bin" / name
        command.parent.mkdir(exist_ok=True)
        command.write_text(f'#!/bin/sh\nexec "{sys.executable}" "{FAKE}" "{tmp_path}" {name} "$@"\n')
        command.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path / "bin"))
    for name in ("RINGTRUE_API_KEY", "COMPOSE_FILE"):
        monkeypatch.delenv(name, raising=False)
    return tmp_path


def asked(folder: Path) -> list[str]:
    return (folder / "asked").read_text().splitlines()


def running(folder: Path) -> set[str]:
    return set((folder / "running").read_text().split())


def test_what_it_starts_is_down_in_the_end(folder: Path) -> None:
    with deployed_stack(folder) as stack:
        assert running(folder) == {"gateway", "postgres", "redis"}
        assert stack == Stack("http://127.0.0.1:48000", "http://127.0.0.1:45000", "rt_key")
    assert asked(folder)[-1] == "docker-compose --file docker-compose.yml --file docker/mlflow-port.yml down"


def test_what_ran_before_runs_on(folder: Path) -> None:
    (folder / "running").write_text("postgres\nredis\n")
    with deployed_stack(folder):
        assert "gateway" in running(folder)
    assert running(folder) == {"postgres", "redis"}


def test_mlflow_has_its_port_for_as_long_as_the_demo_runs(folder: Path) -> None:
    (folder / "running").write_text("postgres\nredis\nmlflow\n")
    with deployed_stack(folder):
        pass
    assert asked(folder)[-1] == "docker-compose --file docker-compose.yml up --detach --no-deps mlflow"


def test_a_port_that_the_operator_gave_it_stays(folder: Path) -> None:
    with (folder / ".env").open("a") as env:
        env.write("COMPOSE_FILE=docker-compose.yml:docker/mlflow-port.yml\n")
    (folder / "running").write_text("postgres\nredis\nmlflow\n")
    with deployed_stack(folder):
        pass
    assert "--no-deps" not in asked(folder)[-1]


def test_all_that_it_started_goes_where_the_demo_fails(folder: Path) -> None:
    with pytest.raises(DemoFailed, match="alike"), deployed_stack(folder):
        raise DemoFailed("two clips are alike")
    assert running(folder) == set()


def test_a_container_that_ends_is_named(folder: Path) -> None:
    (folder / "lost").write_text("gateway")
    with pytest.raises(DemoFailed, match="gateway with 3"), deployed_stack(folder):
        pass
    assert running(folder) == set()


def test_without_docker_it_says_so(folder: Path) -> None:
    (folder / "bin" / "docker").unlink()
    with pytest.raises(DemoFailed, match="docker is not installed"), deployed_stack(folder):
        pass


def test_the_data_of_a_stack_of_its_own_stay(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    command = tmp_path / "bin" / "ringtrue"
    command.parent.mkdir()
    command.write_text(FAKE_UP % sys.executable)
    command.chmod(0o755)
    monkeypatch.setattr(sys, "executable", str(command.with_name("python")))
    with own_stack(tmp_path / "data") as stack:
        assert stack == Stack("http://127.0.0.1:48000", "http://127.0.0.1:45000")
    assert (tmp_path / "data" / "runs").read_text() == "kept"
