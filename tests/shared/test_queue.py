"""Bells over a real Redis: in their queue at once, coalesced, harmless to lose; a Redis that hangs holds nobody up."""

from __future__ import annotations

import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator

import pytest
from kombu.message import Message
from redis import Redis

from shared.queue import (
    JUDGING_QUEUE,
    SCORING_QUEUE,
    SPEAK,
    TRACKING_QUEUE,
    CeleryBells,
    make_celery,
    speaking_queue,
)

QUEUE = speaking_queue("espeak")


@pytest.fixture
def redis(redis_url: str) -> Iterator[Redis]:
    with Redis.from_url(redis_url) as redis:
        yield redis


@pytest.fixture
def bells(redis_url: str) -> Iterator[CeleryBells]:
    bells = CeleryBells(redis_url)
    yield bells
    bells.close()


class Gate:
    """A way to Redis that can be shut: then connections are taken and nothing ever comes back."""

    def __init__(self) -> None:
        self.is_open = False
        self._ends: list[socket.socket] = []
        self._listening = socket.create_server(("127.0.0.1", 0))
        self.port = self._listening.getsockname()[1]
        threading.Thread(target=self._take, daemon=True).start()

    def close(self) -> None:
        for end in (self._listening, *self._ends):
            end.close()

    def _take(self) -> None:
        while True:
            try:
                near, _ = self._listening.accept()
            except OSError:
                return
            self._ends.append(near)
            if self.is_open:
                far = socket.create_connection(("127.0.0.1", 6379))
                self._ends.append(far)
                for one, other in ((near, far), (far, near)):
                    threading.Thread(target=_pass_on, args=(one, other), daemon=True).start()


def _pass_on(one: socket.socket, other: socket.socket) -> None:
    try:
        while some := one.recv(65536):
            other.sendall(some)
    except OSError:
        pass  # shut


@pytest.fixture
def gate() -> Iterator[Gate]:
    gate = Gate()
    yield gate
    gate.close()


def _until(holds: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 10
    while not holds():
        assert time.monotonic() < deadline
        time.sleep(0.02)


def _taken(redis_url: str) -> Message:
    """The next bell as kombu hands it to a worker, acknowledged."""
    with make_celery(redis_url).connection_for_read() as connection, connection.SimpleQueue(QUEUE) as queue:
        message = queue.get(timeout=5)
        message.ack()
        return message


def test_a_bell_is_in_its_queue_when_the_call_returns(bells: CeleryBells, redis: Redis) -> None:
    bells.ring_engine("espeak")
    assert redis.llen(QUEUE) == 1


def test_a_bell_is_what_celery_publishes(bells: CeleryBells, redis: Redis, redis_url: str) -> None:
    make_celery(redis_url).send_task(SPEAK, queue=QUEUE, ignore_result=True)
    published = _taken(redis_url)
    bells.ring_engine("espeak")
    rung = _taken(redis_url)
    assert rung.payload == published.payload
    own = {"id", "root_id"}
    assert {**rung.headers, **dict.fromkeys(own)} == {**published.headers, **dict.fromkeys(own)}
    assert redis.keys("unacked*") == []


def test_every_bell_has_an_id_of_its_own(bells: CeleryBells, redis_url: str) -> None:
    def rung() -> tuple[str, str]:
        bells.ring_engine("espeak")
        message = _taken(redis_url)
        return message.headers["id"], message.delivery_tag

    first, second = rung(), rung()
    assert set(first).isdisjoint(second)


def test_a_thousand_jobs_are_one_bell(bells: CeleryBells, redis: Redis) -> None:
    for _ in range(1000):
        bells.ring_engine("espeak")
    bells.ring_scorer()
    assert (redis.llen(QUEUE), redis.llen("score")) == (1, 1)


def test_every_kind_of_work_has_a_queue_of_its_own(bells: CeleryBells, redis: Redis) -> None:
    bells.ring_engine("espeak")
    bells.ring_scorer()
    bells.ring_tracker()
    bells.ring_judge()
    assert [redis.llen(queue) for queue in (QUEUE, SCORING_QUEUE, TRACKING_QUEUE, JUDGING_QUEUE)] == [1, 1, 1, 1]


def test_after_it_was_taken_the_next_one_rings(bells: CeleryBells, redis: Redis) -> None:
    bells.ring_engine("espeak")
    redis.rpop(QUEUE)
    bells.ring_engine("espeak")
    assert redis.llen(QUEUE) == 1


def test_rings_after_redis_was_flushed(bells: CeleryBells, redis: Redis) -> None:
    bells.ring_engine("espeak")
    redis.flushdb()
    redis.script_flush()
    bells.ring_engine("espeak")
    assert redis.llen(QUEUE) == 1


def test_nobody_waits_for_a_redis_that_is_away() -> None:
    bells = CeleryBells("redis://127.0.0.1:1/0")
    began = time.monotonic()
    for _ in range(100):
        bells.ring_engine("espeak")
    assert time.monotonic() - began < 0.5
    bells.close()


def test_a_redis_that_hangs_is_waited_for_once_and_not_for_long(gate: Gate) -> None:
    bells = CeleryBells(f"redis://127.0.0.1:{gate.port}/0")
    began = time.monotonic()
    for _ in range(100):
        bells.ring_engine("espeak")
    assert time.monotonic() - began < 0.5
    bells.close()


def test_a_redis_that_hung_is_rung_at_once_when_it_is_back(gate: Gate, redis: Redis, redis_url: str) -> None:
    bells = CeleryBells(redis_url.replace("6379", str(gate.port)))
    bells.ring_engine("espeak")
    gate.is_open = True

    def prompt() -> bool:
        redis.delete(QUEUE)
        bells.ring_engine("espeak")
        return redis.llen(QUEUE) == 1

    _until(prompt)
    assert all(prompt() for _ in range(100))
    bells.close()


def test_importing_the_queue_connects_to_nothing() -> None:
    code = "import socket; socket.socket.connect = None; import shared.queue"
    subprocess.run([sys.executable, "-c", code], check=True)
