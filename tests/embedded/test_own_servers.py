"""The two servers that the stack brings along, for real: Valkey from the wheel, MLflow on SQLite."""

from __future__ import annotations

import asyncio
import contextlib
import http.client
import json
import os
import socket
import sqlite3
import stat
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import redis

from services.embedded.parts.mlflow_server import mlflow_spec
from services.embedded.parts.redis_server import redis_spec
from services.embedded.processes.child import ChildSpec, SupervisedChild
from services.embedded.processes.journal import Follower
from services.embedded.run_folder import run_folder
from shared.messages.events import Listener, RedisAnnouncer
from shared.messages.queue import SCORING_QUEUE, CeleryWakeUps, make_celery
from shared.network.redis_urls import unix_url


@contextmanager
def running(spec: ChildSpec, log: Path) -> Iterator[SupervisedChild]:
    log.touch()
    follower = Follower(log)
    child = SupervisedChild(spec, os.environ, log)
    try:
        while not spec.ready(follower.lines()):
            assert not child.ended(), log.read_text()
            assert child.ran_s < spec.ready_within_s, log.read_text()
            time.sleep(0.1)
        yield child
        child.terminate()
        deadline = time.monotonic() + 6 * spec.grace_s
        while not child.ended() and time.monotonic() < deadline:
            time.sleep(0.05)
        assert child.ended(), "it did not end when asked"
    finally:
        child.reap()
        follower.close()


@contextmanager
def a_valkey(tmp_path: Path) -> Iterator[redis.Redis]:
    folder = tmp_path / "data of mine"  # with blanks, as home folders may have
    folder.mkdir(exist_ok=True)
    with (
        run_folder(folder) as run,
        running(redis_spec(folder / "redis", run / "r.sock"), tmp_path / "redis.log"),
        redis.Redis.from_url(unix_url(str(run / "r.sock"))) as client,
    ):
        yield client


def test_redis_keeps_a_key_over_a_restart(tmp_path: Path) -> None:
    for expected in (None, b"kept"):
        with a_valkey(tmp_path) as client:
            assert client.get("name") == expected
            client.set("name", "kept")
            assert client.info()["aof_enabled"] == 1


def test_an_append_only_file_of_redis_6_is_taken_over(tmp_path: Path) -> None:
    folder = tmp_path / "data of mine" / "redis"
    folder.mkdir(parents=True)
    (folder / "appendonly.aof").write_bytes(
        b"*2\r\n$6\r\nSELECT\r\n$1\r\n0\r\n*3\r\n$3\r\nSET\r\n$4\r\nname\r\n$3\r\nold\r\n"
    )
    with a_valkey(tmp_path) as client:
        assert client.get("name") == b"old"


def test_redis_has_no_port_and_its_socket_is_for_its_user(tmp_path: Path) -> None:
    with a_valkey(tmp_path) as client:
        path = Path(client.connection_pool.connection_kwargs["path"])
        assert client.info()["tcp_port"] == 0
        assert stat.S_IMODE(path.stat().st_mode) == 0o700
        assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
    assert (tmp_path / "data of mine" / "redis").stat().st_mode & 0o077 == 0


_DANGEROUS = """
CONFIG GET dir|CONFIG SET dir /tmp|CONFIG REWRITE|CONFIG RESETSTAT|MODULE LIST|MODULE LOAD /x.so|MODULE LOADEX /x.so
DEBUG SLEEP 0|DEBUG SEGFAULT|SAVE|BGSAVE|BGREWRITEAOF|LASTSAVE|SLAVEOF 127.0.0.1 1|REPLICAOF 127.0.0.1 1|FAILOVER
SYNC|PSYNC ? -1|SHUTDOWN|SHUTDOWN NOSAVE|ACL LIST|ACL SETUSER x on nopass +@all|ACL SAVE|ACL LOAD|ACL GETUSER default
FUNCTION LIST|FUNCTION LOAD x|FUNCTION FLUSH|FUNCTION RESTORE x|FCALL x 0|SCRIPT FLUSH|SCRIPT KILL|SCRIPT DEBUG YES
MONITOR|MIGRATE 127.0.0.1 1 k 0 1|RESTORE k 0 x|FLUSHALL|FLUSHDB|SWAPDB 0 1|KEYS *|SORT k|CLIENT LIST
CLIENT KILL TYPE normal|CLIENT PAUSE 1000|CLUSTER MEET 127.0.0.1 1|CLUSTER RESET|LATENCY DOCTOR|SLOWLOG GET|PFDEBUG x k
"""
DANGEROUS = [line for line in _DANGEROUS.replace("\n", "|").split("|") if line]


def test_redis_does_nothing_but_keep_queues(tmp_path: Path) -> None:
    with a_valkey(tmp_path) as client:
        let_through = []
        for command in DANGEROUS:
            try:
                client.execute_command(*command.split())
            except redis.exceptions.ResponseError as refused:
                if not any(word in str(refused) for word in ("no permissions", "not allowed", "disabled")):
                    let_through.append((command, str(refused)))
            else:
                let_through.append((command, "done"))
        assert let_through == []
        assert client.ping()


def test_whatever_is_an_administrators_or_dangerous_is_refused(tmp_path: Path) -> None:
    """By the server's own table of commands, so that those of a later version are covered."""
    with a_valkey(tmp_path) as client:
        listed = [*client.acl_cat("dangerous"), *client.acl_cat("admin")]
        named = {name.decode() if isinstance(name, bytes) else name for name in listed}
        assert len(named) > 40
        for name in sorted(named - {"info"}):
            with pytest.raises(redis.exceptions.ResponseError):
                client.execute_command(*name.split("|"))
        assert client.ping()


@pytest.mark.timeout(300)
def test_mlflow_serves_runs_and_artifacts_and_ends_when_asked(tmp_path: Path) -> None:
    with run_folder(tmp_path) as run, running(mlflow_spec(tmp_path / "mlflow", run / "m.sock"), tmp_path / "m.log"):
        connection = http.client.HTTPConnection("127.0.0.1", timeout=120)
        connection.sock = socket.socket(socket.AF_UNIX)
        connection.sock.connect(str(run / "m.sock"))
        connection.request("GET", "/api/2.0/mlflow/experiments/get?experiment_id=0")
        experiment = json.loads(connection.getresponse().read())["experiment"]
        assert experiment["artifact_location"].startswith("mlflow-artifacts:")
        connection.request("PUT", "/api/2.0/mlflow-artifacts/artifacts/0/picture.png", body=b"PNG")
        assert connection.getresponse().status == 200
    assert (tmp_path / "mlflow" / "artifacts" / "0" / "picture.png").read_bytes() == b"PNG"
    with contextlib.closing(sqlite3.connect(tmp_path / "mlflow" / "mlflow.db")) as database:
        assert database.execute("PRAGMA journal_mode").fetchone() == ("wal",)


def test_wake_ups_and_announcements_go_over_the_socket(tmp_path: Path) -> None:
    """By the three ways in which our processes talk to Redis: pushing, Celery's own transport, publishing."""
    with a_valkey(tmp_path) as client:
        url = unix_url(client.connection_pool.connection_kwargs["path"])
        wake_ups = CeleryWakeUps(url)
        wake_ups.wake_scoring()
        wake_ups.close()
        heard: list[object] = []
        with make_celery(url).connection() as connection, connection.SimpleQueue(SCORING_QUEUE) as queue:
            heard.append(queue.get(timeout=60).headers["task"])
        assert heard == ["ringtrue.score"]

        async def first() -> tuple[str, str]:
            announcer = RedisAnnouncer(url)
            async with asyncio.timeout(60):
                listening = Listener(url).heard()
                waiting = asyncio.ensure_future(anext(listening))
                while not waiting.done():
                    announcer.announce("job_1", "succeeded")
                    await asyncio.sleep(0.1)
                await listening.aclose()
                return waiting.result()

        assert asyncio.run(first()) == ("job_1", "succeeded")
