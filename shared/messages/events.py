"""Announcements that a job changed, over Redis pub/sub.

Owns their form and the channel. Losing one is harmless: a waiting request reads the row again after a while.
"""

from __future__ import annotations

import asyncio
import logging
import queue
import re
import threading
import time
from collections.abc import AsyncIterator, Sequence

import redis.asyncio
from redis import Redis
from redis.backoff import NoBackoff
from redis.exceptions import TimeoutError as RedisTimeout
from redis.retry import Retry

CHANNEL = "ringtrue:jobs"
LONGEST_BYTES = 256
"""An announcement is an id and a word. A longer message is not an announcement."""
QUIET_S = 10.0
"""After this many seconds without an announcement, Redis is pinged. The answer may take as long again."""
_ANNOUNCEMENT = re.compile(rb"([A-Za-z0-9_-]+) ([a-z_]+)")
_RETRY_S = 1.0

log = logging.getLogger(__name__)


class RedisAnnouncer:
    """Implements ``shared.ports.Announcer``. No caller waits for Redis: a background thread publishes in order.

    If Redis is away, that is logged once a second, and what should have been announced meanwhile is dropped.
    """

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
        except Exception as error:  # any error: this may not be Redis at all; the thread goes on
            self._away_until = time.monotonic() + _RETRY_S
            log.warning("announcements are not sent for %g s: %r", _RETRY_S, error)


class Listener:
    """Receives announcements until it is closed.

    It skips what it cannot parse, and subscribes again after any trouble with Redis. For one event loop.
    """

    def __init__(self, redis_url: str, *, quiet_s: float = QUIET_S, retry_s: float = _RETRY_S) -> None:
        self._redis_url = redis_url
        self._quiet_s = quiet_s
        self._retry_s = retry_s
        self._subscribed = False

    def trouble(self) -> str | None:
        """Return a readiness code while nothing is received, else ``None``. Waiting requests then poll, a bit later."""
        return None if self._subscribed else "listener_restarting"

    async def heard(self) -> AsyncIterator[tuple[str, str]]:
        """Yield announcements as (job id, event), forever."""
        while True:
            skipped = 0
            try:
                async for said in self._messages():
                    if (understood := _understood(said)) is not None:
                        yield understood
                    else:
                        skipped += 1
                        if skipped == 1:  # once per connection: a sender of junk sends a lot of it
                            log.warning("skipped an announcement that cannot be parsed: %s", _described(said))
            except Exception as error:  # any error: what answers at this address may not be Redis at all
                log.warning("not receiving announcements, trying again in %g s: %r", self._retry_s, error)
            finally:
                self._subscribed = False
            await asyncio.sleep(self._retry_s)

    async def _messages(self) -> AsyncIterator[object]:
        once = Retry(NoBackoff(), retries=0)  # no retry: `trouble` must tell a lost connection at once
        client = redis.asyncio.Redis.from_url(
            self._redis_url, socket_connect_timeout=2, socket_timeout=self._quiet_s, retry=once
        )
        try:
            async with client.pubsub() as channel:
                await channel.subscribe(CHANNEL)
                asked = True  # an answer is due: to the subscription now, later to each ping
                while True:
                    message = await channel.get_message(timeout=self._quiet_s)
                    if message is None:
                        if asked:
                            raise RedisTimeout(f"no answer within {self._quiet_s:g} s")
                        await channel.ping()
                        asked = True
                        continue
                    asked = False
                    self._subscribed = True
                    if message["type"] == "message":
                        yield message["data"]
        finally:
            await client.aclose()


def _understood(said: object) -> tuple[str, str] | None:
    if not isinstance(said, bytes) or len(said) > LONGEST_BYTES:
        return None
    match = _ANNOUNCEMENT.fullmatch(said)
    return (match[1].decode(), match[2].decode()) if match else None


def _described(said: object) -> str:
    return f"{len(said)} bytes" if isinstance(said, bytes) else type(said).__name__
