"""Wake-ups over a real Redis: in their queue at once, coalesced, harmless to lose; a Redis that hangs holds nobody
up."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Callable, Iterator

import pytest
from kombu.message import Message
from redis import Redis

from shared.messages.queue import (
    ANALYSIS_QUEUE,
    SCORING_QUEUE,
    SPEAK,
    TRACKING_QUEUE,
    CeleryWakeUps,
    make_celery,
    speaking_queue,
)
from tests.shared.rude_redis import JUNK, REFUSALS, SILENCE, Way

QUEUE = speaking_queue("espeak")


@pytest.fixture
def redis(redis_url: str) -> Iterator[Redis]:
    with Redis.from_url(redis_url) as redis:
        yield redis


@pytest.fixture
def wake_ups(redis_url: str) -> Iterator[CeleryWakeUps]:
    wake_ups = CeleryWakeUps(redis_url)
    yield wake_ups
    wake_ups.close()


def _until(holds: Callable[[], bool], within_s: float = 10) -> None:
    deadline = time.monotonic() + within_s
    while not holds():
        assert time.monotonic() < deadline
        time.sleep(0.02)


def _taken(redis_url: str) -> Message:
    """The next wake-up as kombu hands it to a worker, acknowledged."""
    with make_celery(redis_url).connection_for_read() as connection, connection.SimpleQueue(QUEUE) as queue:
        message = queue.get(timeout=5)
        message.ack()
        return message


def test_a_wake_up_is_in_its_queue_when_the_call_returns(wake_ups: CeleryWakeUps, redis: Redis) -> None:
    wake_ups.wake_engine("espeak")
    assert redis.llen(QUEUE) == 1


def test_a_wake_up_is_what_celery_publishes(wake_ups: CeleryWakeUps, redis: Redis, redis_url: str) -> None:
    make_celery(redis_url).send_task(SPEAK, queue=QUEUE, ignore_result=True)
    published = _taken(redis_url)
    wake_ups.wake_engine("espeak")
    woken = _taken(redis_url)
    assert woken.payload == published.payload
    own = {"id", "root_id"}
    assert {**woken.headers, **dict.fromkeys(own)} == {**published.headers, **dict.fromkeys(own)}
    assert redis.keys("unacked*") == []


def test_every_wake_up_has_an_id_of_its_own(wake_ups: CeleryWakeUps, redis_url: str) -> None:
    def woken() -> tuple[str, str]:
        wake_ups.wake_engine("espeak")
        message = _taken(redis_url)
        return message.headers["id"], message.delivery_tag

    first, second = woken(), woken()
    assert set(first).isdisjoint(second)


def test_a_thousand_jobs_are_one_wake_up(wake_ups: CeleryWakeUps, redis: Redis) -> None:
    for _ in range(1000):
        wake_ups.wake_engine("espeak")
    wake_ups.wake_scoring()
    assert (redis.llen(QUEUE), redis.llen("score")) == (1, 1)


def test_every_kind_of_work_has_a_queue_of_its_own(wake_ups: CeleryWakeUps, redis: Redis) -> None:
    wake_ups.wake_engine("espeak")
    wake_ups.wake_scoring()
    wake_ups.wake_tracking()
    wake_ups.wake_analysis()
    assert [redis.llen(queue) for queue in (QUEUE, SCORING_QUEUE, TRACKING_QUEUE, ANALYSIS_QUEUE)] == [1, 1, 1, 1]


def test_after_it_was_taken_the_next_one_is_sent(wake_ups: CeleryWakeUps, redis: Redis) -> None:
    wake_ups.wake_engine("espeak")
    redis.rpop(QUEUE)
    wake_ups.wake_engine("espeak")
    assert redis.llen(QUEUE) == 1


def test_comes_after_redis_was_flushed(wake_ups: CeleryWakeUps, redis: Redis) -> None:
    wake_ups.wake_engine("espeak")
    redis.flushdb()
    redis.script_flush()
    wake_ups.wake_engine("espeak")
    assert redis.llen(QUEUE) == 1


def test_nobody_waits_for_a_redis_that_is_away() -> None:
    wake_ups = CeleryWakeUps("redis://127.0.0.1:1/0")
    began = time.monotonic()
    for _ in range(100):
        wake_ups.wake_engine("espeak")
    assert time.monotonic() - began < 0.5
    wake_ups.close()


def test_a_redis_that_hangs_is_waited_for_once_and_not_for_long() -> None:
    with Way() as way:
        way.answer(SILENCE)
        wake_ups = CeleryWakeUps(f"redis://127.0.0.1:{way.port}/0")
        began = time.monotonic()
        for _ in range(100):
            wake_ups.wake_engine("espeak")
        assert time.monotonic() - began < 0.5
        wake_ups.close()


def test_a_redis_that_hung_is_woken_at_once_when_it_is_back(redis: Redis, redis_url: str) -> None:
    with Way() as way:
        way.answer(SILENCE)
        wake_ups = CeleryWakeUps(redis_url.replace("6379", str(way.port)))
        wake_ups.wake_engine("espeak")
        way.open_to_the_next()

        def prompt() -> bool:
            redis.delete(QUEUE)
            wake_ups.wake_engine("espeak")
            return redis.llen(QUEUE) == 1

        # A busy machine may answer one of them late, and that one is then sent in the background.
        _until(lambda: all(prompt() for _ in range(100)), within_s=60)
        wake_ups.close()


def test_importing_the_queue_connects_to_nothing() -> None:
    code = "import socket; socket.socket.connect = None; import shared.messages.queue"
    subprocess.run([sys.executable, "-c", code], check=True)


@pytest.mark.parametrize("answer", [*REFUSALS, *JUNK, SILENCE])
def test_whatever_answers_in_place_of_redis_who_sends_hears_nothing_of_it(
    answer: bytes, redis: Redis, redis_url: str
) -> None:
    with Way() as way:
        way.answer(answer)
        wake_ups = CeleryWakeUps(redis_url.replace("6379", str(way.port)))
        for _ in range(3):
            wake_ups.wake_engine("espeak")
        way.open()

        def woken() -> bool:
            wake_ups.wake_engine("espeak")
            return redis.llen(QUEUE) == 1

        _until(woken)
        wake_ups.close()
