"""Bells over a real Redis: coalesced, heard, and harmless to lose."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Iterator

import pytest
from redis import Redis

from shared.queue import CeleryBells, make_celery, speaking_queue


@pytest.fixture
def bells(redis_url: str) -> Iterator[CeleryBells]:
    bells = CeleryBells(make_celery(redis_url), redis_url)
    yield bells
    bells.close()


def _waiting(redis_url: str, queue: str, expected: int) -> bool:
    redis = Redis.from_url(redis_url)
    deadline = time.monotonic() + 5
    while time.monotonic() < deadline:
        if redis.llen(queue) == expected:
            return True
        time.sleep(0.02)
    return False


def test_a_thousand_jobs_are_one_bell(bells: CeleryBells, redis_url: str) -> None:
    for _ in range(1000):
        bells.ring_engine("espeak")
    bells.ring_scorer()
    assert _waiting(redis_url, "score", 1)
    assert _waiting(redis_url, speaking_queue("espeak"), 1)


def test_after_it_was_heard_the_next_one_rings(bells: CeleryBells, redis_url: str) -> None:
    queue = speaking_queue("espeak")
    bells.ring_engine("espeak")
    assert _waiting(redis_url, queue, 1)
    bells.heard(queue)
    bells.ring_engine("espeak")
    assert _waiting(redis_url, queue, 2)


def test_rings_after_redis_was_flushed(bells: CeleryBells, redis_url: str) -> None:
    queue = speaking_queue("espeak")
    bells.ring_engine("espeak")
    assert _waiting(redis_url, queue, 1)
    Redis.from_url(redis_url).flushdb()
    bells.ring_engine("espeak")
    assert _waiting(redis_url, queue, 1)


def test_nobody_waits_for_a_redis_that_is_away() -> None:
    nowhere = "redis://127.0.0.1:1/0"
    bells = CeleryBells(make_celery(nowhere), nowhere)
    began = time.monotonic()
    for _ in range(100):
        bells.ring_engine("espeak")
    assert time.monotonic() - began < 1
    bells.close()


def test_importing_the_queue_connects_to_nothing() -> None:
    code = "import socket; socket.socket.connect = None; import shared.queue"
    subprocess.run([sys.executable, "-c", code], check=True)
