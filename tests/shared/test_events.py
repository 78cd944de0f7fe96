"""Announcements over a real Redis, and what is none of them: skipped, and no reason to stop listening."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Iterator
from contextlib import aclosing, asynccontextmanager

import pytest
from hypothesis import given
from hypothesis import strategies as st
from redis import Redis

from shared.messages.events import CHANNEL, Listener, RedisAnnouncer, _understood
from tests.shared.rude_redis import JUNK, REFUSALS, SILENCE, Way

pytestmark = pytest.mark.anyio
PATIENCE_S = 30.0
NO_ANNOUNCEMENTS = [
    b"",
    b" ",
    b"job_1",
    b"job_1 ",
    b" queued",
    b"\xff\xfe\x00",
    b"job_1 queued again",
    json.dumps({"job": "job_1", "event": "queued"}).encode(),
    json.dumps([None, 1e308, {"a": []}]).encode(),
    b"job_1 queued\n",
    b"x" * 1_000_000,
    b"job_" + b"1" * 300 + b" queued",
]


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture
def way(redis_url: str) -> Iterator[Way]:
    with Way() as way:
        yield way


@asynccontextmanager
async def listening(url: str) -> AsyncIterator[tuple[Listener, asyncio.Queue[tuple[str, str]]]]:
    listener = Listener(url, quiet_s=0.3, retry_s=0.05)
    heard: asyncio.Queue[tuple[str, str]] = asyncio.Queue()

    async def follow() -> None:
        async with aclosing(listener.heard()) as announcements:  # type: ignore[type-var]
            async for announcement in announcements:
                heard.put_nowait(announcement)

    task = asyncio.create_task(follow())
    try:
        yield listener, heard
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def subscribed(listener: Listener) -> None:
    async with asyncio.timeout(PATIENCE_S):
        while listener.trouble() is not None:
            await asyncio.sleep(0.01)


async def deaf(listener: Listener) -> None:
    async with asyncio.timeout(PATIENCE_S):
        while listener.trouble() != "listener_restarting":
            await asyncio.sleep(0.01)


async def test_what_is_no_announcement_is_skipped_and_the_next_one_is_heard(redis_url: str) -> None:
    redis = Redis.from_url(redis_url)
    async with listening(redis_url) as (listener, heard):
        await subscribed(listener)
        for number, junk in enumerate(NO_ANNOUNCEMENTS):
            redis.publish(CHANNEL, junk)
            redis.publish(CHANNEL, f"job_n{number} succeeded")
        async with asyncio.timeout(PATIENCE_S):
            for number in range(len(NO_ANNOUNCEMENTS)):
                while (announcement := await heard.get())[0] != f"job_n{number}":  # others share the channel
                    assert "n" not in announcement[0]
        assert listener.trouble() is None


@pytest.mark.parametrize("answer", [REFUSALS[0], REFUSALS[5], *JUNK, SILENCE])
async def test_whatever_answers_there_it_says_so_and_listens_again(answer: bytes, way: Way, redis_url: str) -> None:
    way.open()
    async with listening(redis_url.replace("6379", str(way.port))) as (listener, heard):
        await subscribed(listener)
        way.answer(answer)
        await deaf(listener)
        way.open()
        await subscribed(listener)
        announcer = RedisAnnouncer(redis_url)
        announcer.announce("job_back", "succeeded")
        async with asyncio.timeout(PATIENCE_S):
            while await heard.get() != ("job_back", "succeeded"):
                pass


async def test_a_connection_that_went_dead_without_a_word_is_noticed(way: Way, redis_url: str) -> None:
    way.open()
    async with listening(redis_url.replace("6379", str(way.port))) as (listener, _):
        await subscribed(listener)
        way.swallow()
        await deaf(listener)


@given(st.binary(max_size=400) | st.text(max_size=100).map(str.encode))
def test_any_bytes_are_understood_or_not_and_nothing_else(said: bytes) -> None:
    understood = _understood(said)
    assert understood is None or " ".join(understood).encode() == said
