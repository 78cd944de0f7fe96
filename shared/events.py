"""Announcements that a job changed, over Redis pub/sub. Losing one is harmless: whoever waits reads the row again."""

from __future__ import annotations

import asyncio
import logging
import queue
import threading
import time
from collections.abc import AsyncIterator, Sequence

import redis.asyncio
from redis import Redis
from redis.exceptions import RedisError

CHANNEL = "ringtrue:jobs"
_RETRY_S = 1.0

log = logging.getLogger(__name__)


class RedisAnnouncer:
    """Implements ``shared.ports.Announcer``. Nobody waits for Redis: a thread of its own says what there is to say, in
    the order it came. Where Redis is away that is logged once a second, and what was to be said meanwhile is not."""

    def __init__(self, redis_url: str) -> None:
        self._redis = Redis.from_url(redis_url, socket_timeout=1, socket_connect_timeout=1)
        self._unsaid: queue.SimpleQueue[str] = queue.SimpleQueue()
        self._starting = threading.Lock()
        self._thread: threading.Thread | None = None
        self._away_until = 0.0

    def announce(self, job_id: str, event: str) -> None:
        self._unsaid.put(f"{job_id} {event}")
        if self._thread is None:
            with self._starting:
                if self._thread is None:
                    self._thread = threading.Thread(target=self._say_for_ever, name="announcements", daemon=True)
                    self._thread.start()

    def _say_for_ever(self) -> None:
        while True:
            words = [self._unsaid.get()]
            while not self._unsaid.empty():
                words.append(self._unsaid.get())
            self._say(words)

    def _say(self, words: Sequence[str]) -> None:
        if time.monotonic() < self._away_until:
            return
        try:
            with self._redis.pipeline(transaction=False) as together:
                for word in words:
                    together.publish(CHANNEL, word)
                together.execute()
        except RedisError as error:
            self._away_until = time.monotonic() + _RETRY_S
            log.warning("announcements pause: %s", error)


async def listen(redis_url: str) -> AsyncIterator[tuple[str, str]]:
    """Announcements as (job id, event), for ever; connects again whenever Redis comes back."""
    while True:
        client = redis.asyncio.Redis.from_url(redis_url, socket_connect_timeout=2)
        try:
            async with client.pubsub(ignore_subscribe_messages=True) as channel:
                await channel.subscribe(CHANNEL)
                async for message in channel.listen():
                    job_id, _, event = message["data"].decode().partition(" ")
                    yield job_id, event
        except (RedisError, OSError) as error:
            log.warning("not listening for announcements: %s", error)
            await asyncio.sleep(_RETRY_S)
        finally:
            await client.aclose()
