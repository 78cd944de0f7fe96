"""Wake-ups are heard: no answer of Redis ends the process, it looks for work meanwhile, and it hears again
afterwards."""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from redis import Redis

from shared.messages.queue import SCORING_QUEUE, CeleryWakeUps
from tests.redis_servers import server_binary
from tests.shared.rude_redis import JUNK, REFUSALS, SILENCE, Way

ROOT = Path(__file__).parents[2]
PATIENCE_S = 60.0


class Consumer:
    """A process, and what it said."""

    def __init__(self, redis_url: str, log: Path) -> None:
        self._log = log
        env = {**os.environ, "PYTHONPATH": str(ROOT)}
        with log.open("wb") as said:
            command = [sys.executable, str(Path(__file__).with_name("a_consumer.py")), redis_url]
            self.process = subprocess.Popen(command, env=env, stdout=said, stderr=subprocess.STDOUT)

    def said(self, word: str) -> int:
        return self._log.read_text(errors="replace").splitlines().count(word)

    def until(self, holds: Callable[[], bool], what: str) -> None:
        deadline = time.monotonic() + PATIENCE_S
        while not holds():
            assert self.process.poll() is None, self._log.read_text(errors="replace")[-3000:]
            assert time.monotonic() < deadline, f"{what}\n{self._log.read_text(errors='replace')[-3000:]}"
            time.sleep(0.02)

    def until_it_looked_again(self) -> None:
        before = self.said("looked")
        self.until(lambda: self.said("looked") >= before + 3, "looked for work without a wake-up")

    def close(self) -> None:
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        return int(listening.getsockname()[1])


@pytest.fixture(scope="module")
def redis(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Redis]:
    """A Redis of its own: others would not like what is done to it."""
    folder = tmp_path_factory.mktemp("redis")
    port = free_port()
    command = [str(server_binary()), "--port", str(port), "--bind", "127.0.0.1", "--save", "", "--dir", str(folder)]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL)
    client = Redis(port=port)
    for _ in range(500):
        with contextlib.suppress(OSError, Exception):
            client.ping()
            break
        time.sleep(0.02)
    yield client
    process.kill()
    process.wait()


@pytest.fixture(scope="module")
def way(redis: Redis) -> Iterator[Way]:
    with Way(redis.connection_pool.connection_kwargs["port"]) as way:
        yield way


@pytest.fixture(scope="module")
def consumer(way: Way, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Consumer]:
    consumer = Consumer(f"redis://127.0.0.1:{way.port}/0", tmp_path_factory.mktemp("consumer") / "log")
    consumer.until(lambda: consumer.said("ready") > 0, "ready")
    yield consumer
    consumer.close()


def hears(consumer: Consumer, redis: Redis) -> None:
    """A wake-up is taken out of its queue."""
    wake_ups = CeleryWakeUps(f"redis://127.0.0.1:{redis.connection_pool.connection_kwargs['port']}/0")
    wake_ups.wake_scoring()
    consumer.until(lambda: redis.llen(SCORING_QUEUE) == 0, "the wake-up is received")
    wake_ups.close()


@pytest.mark.parametrize("answer", [*REFUSALS, *JUNK, SILENCE])
def test_whatever_answers_there_it_looks_for_work_and_hears_again(
    answer: bytes, consumer: Consumer, way: Way, redis: Redis
) -> None:
    way.answer(answer)
    consumer.until_it_looked_again()
    way.open()
    hears(consumer, redis)


def become_a_replica(redis: Redis) -> Callable[[], None]:
    redis.slaveof("127.0.0.1", 1)
    return lambda: void(redis.slaveof())


def ask_for_a_password(redis: Redis) -> Callable[[], None]:
    redis.config_set("requirepass", "secret")
    redis.client_kill_filter(_type="normal", skipme=True)
    return lambda: void(redis.config_set("requirepass", ""))


def have_no_memory(redis: Redis) -> Callable[[], None]:
    redis.config_set("maxmemory", 1)
    return lambda: void(redis.config_set("maxmemory", 0))


def take_no_clients(redis: Redis) -> Callable[[], None]:
    redis.config_set("maxclients", 1)
    redis.client_kill_filter(_type="normal", skipme=True)
    return lambda: void(redis.config_set("maxclients", 10_000))


def lose_everything(redis: Redis) -> Callable[[], None]:
    redis.flushall()
    redis.script_flush()
    return lambda: None


def keep_another_type_in_the_queue(redis: Redis) -> Callable[[], None]:
    redis.delete(SCORING_QUEUE)
    redis.set(SCORING_QUEUE, "no list")
    return lambda: void(redis.delete(SCORING_QUEUE))


def keep_junk_in_the_queue(redis: Redis) -> Callable[[], None]:
    redis.delete(SCORING_QUEUE)
    redis.lpush(SCORING_QUEUE, b"\xff\xfe junk", b"{}", b"[]", b'{"body": 7}', b"null")
    return lambda: None


def void(_: object) -> None:
    """Nothing."""


@pytest.mark.parametrize(
    "change",
    [
        become_a_replica,
        ask_for_a_password,
        have_no_memory,
        take_no_clients,
        lose_everything,
        keep_another_type_in_the_queue,
        keep_junk_in_the_queue,
    ],
)
def test_a_redis_that_changes_at_run_time(
    change: Callable[[Redis], Callable[[], None]], consumer: Consumer, way: Way, redis: Redis
) -> None:
    way.open()
    hears(consumer, redis)
    change_back = change(redis)
    consumer.until_it_looked_again()
    change_back()
    hears(consumer, redis)


def test_a_redis_that_restarts_in_loops(consumer: Consumer, way: Way, redis: Redis) -> None:
    for _ in range(20):
        way.cut()
        time.sleep(0.05)
    hears(consumer, redis)


@pytest.mark.parametrize(
    ("answer", "number"), [(None, signal.SIGINT), (REFUSALS[0], signal.SIGTERM), (SILENCE, signal.SIGTERM)]
)
def test_it_ends_when_it_is_told_to_whatever_redis_does(
    answer: bytes | None, number: signal.Signals, way: Way, tmp_path: Path
) -> None:
    way.open() if answer is None else way.answer(answer)
    consumer = Consumer(f"redis://127.0.0.1:{way.port}/0", tmp_path / "log")
    try:
        consumer.until_it_looked_again()
        consumer.process.send_signal(number)
        assert consumer.process.wait(PATIENCE_S) == 0
    finally:
        consumer.close()
        way.open()
