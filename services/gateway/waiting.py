"""Requests that wait for a job: woken when the job changes, and looking for themselves in case nobody tells.

Owns who waits for which job. Announcements may be lost, so every waiter also looks again by itself.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Iterator

LOOK_AGAIN_S = 0.5


class Waiters:
    """Everybody who waits in this process. For use from one event loop."""

    def __init__(self) -> None:
        self._events: dict[str, set[asyncio.Event]] = {}
        self.closing = False
        """Nobody should wait any longer: the process is about to end."""

    @contextlib.contextmanager
    def watch(self, job_id: str) -> Iterator[asyncio.Event]:
        """An event that is set whenever the job changed, from now on."""
        event = asyncio.Event()
        watching = self._events.setdefault(job_id, set())
        watching.add(event)
        try:
            yield event
        finally:
            watching.discard(event)
            if not watching and self._events.get(job_id) is watching:
                del self._events[job_id]

    def wake(self, job_id: str) -> None:
        """The job changed."""
        for event in self._events.get(job_id, ()):
            event.set()

    def close(self) -> None:
        """Let everybody go."""
        self.closing = True
        for job_id in self._events:
            self.wake(job_id)

    async def follow(self, announcements: AsyncIterator[tuple[str, str]]) -> None:
        """Wake by announcements (job id, event) until canceled."""
        async for job_id, _ in announcements:
            self.wake(job_id)


async def pause(event: asyncio.Event, seconds: float) -> None:
    """Until ``event`` is set, but no longer than ``seconds`` or than it takes to look again anyway."""
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(min(seconds, LOOK_AGAIN_S)):
            await event.wait()
    event.clear()
