"""Requests that wait until a job or a study is over.

Owns who waits for what, how many requests of one user may wait, and when the store is asked again. One query serves all
who wait for the same thing, and reads only whether it is over. Announcements say what to look at right away. They may
be lost, so everything that is waited for is also looked at again and again. Knows no HTTP.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import time
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Collection, Iterator, Mapping, Sequence
from typing import Protocol

from services.gateway.sharing.group_commit import GroupCommit
from shared.errors import RefusalCode, Refused, StoreUnavailable

log = logging.getLogger("ringtrue.gateway")

LOOK_AGAIN_S = 0.5
MOST_OF_ONE_USER = 256
"""Most waiting requests of one user."""
MOST = 4096
"""Most waiting requests of all users."""
_GONE_AGAIN_S = 2.0
"""Seconds between two checks whether a waiting client is still connected."""
_RETRY_AFTER_S = 2
_AT_ONCE = 500
"""Most ids in one query to the store."""


class WaitState(Protocol):
    """What a waiter needs to know about a job or a study."""

    @property
    def user(self) -> str: ...

    @property
    def over(self) -> bool: ...


class Waiters:
    """All waiting requests of this process.

    ``read``: returns the states by id, without those that do not exist. It blocks and is called in a thread. For use
    from one event loop."""

    def __init__(
        self,
        read: Callable[[Sequence[str]], Mapping[str, WaitState]],
        *,
        most_of_one_user: int = MOST_OF_ONE_USER,
        most: int = MOST,
    ) -> None:
        self._read = read
        self._states: GroupCommit[Sequence[str], Mapping[str, WaitState]] = GroupCommit("states", self._answer)
        self._most_of_one_user, self._most = most_of_one_user, most
        self._over: dict[str, tuple[asyncio.Event, Counter[str]]] = {}
        """By id: an event that is set when the job or study is over, and how many requests of each user wait for it."""
        self._users: Counter[str] = Counter()
        self._changed: set[str] = set()
        self._told = asyncio.Event()
        self._looking: asyncio.Task[None] | None = None
        self.closing = False
        """The process is about to end, and no request should wait any longer."""

    def has_room(self, user: str) -> bool:
        """Return whether one more request of ``user`` may wait."""
        return self._users[user] < self._most_of_one_user and self._users.total() < self._most

    async def until_over(self, user: str, id_: str, seconds: float, gone: Callable[[], Awaitable[bool]]) -> None:
        """Wait until it is over or ``seconds`` have passed. Returns at once if it is not this user's or does not exist.

        ``gone``: tells whether the client has left. Raises `Refused` (`rate_limited`) if too many requests wait."""
        until = time.monotonic() + seconds
        with self._watch(user, id_) as over:
            state = None if self.closing else (await self._states.ask([id_])).get(id_)
            if state is None or state.user != user or state.over:
                return
            while not (over.is_set() or self.closing or await gone()):
                left_s = until - time.monotonic()
                if left_s <= 0:
                    return
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(min(left_s, _GONE_AGAIN_S)):
                        await over.wait()

    def wake(self, id_: str) -> None:
        """Note that it changed and may be over, so that it is looked at now."""
        if id_ in self._over:
            self._changed.add(id_)
            self._told.set()

    def close(self) -> None:
        """Let all waiting requests go. From now on no request waits."""
        self.closing = True
        for over, _ in self._over.values():
            over.set()

    def end(self) -> None:
        """End the thread. Call it when no request waits any more."""
        self.close()
        if self._looking is not None:
            self._looking.cancel()
        self._states.close()

    async def follow(self, announcements: AsyncIterator[tuple[str, str]]) -> None:
        """Wake waiters by announcements (job id, event) until canceled."""
        async for job_id, _ in announcements:
            self.wake(job_id)

    @contextlib.contextmanager
    def _watch(self, user: str, id_: str) -> Iterator[asyncio.Event]:
        if not self.has_room(user):
            detail = (
                f"{self._users[user]} requests of yours are waiting; at most {self._most_of_one_user} of one user and"
                f" {self._most} of all users may. Ask without waiting, or try again later"
            )
            raise Refused(RefusalCode.RATE_LIMITED, detail, retry_after_s=_RETRY_AFTER_S)
        over, waiting = self._over.setdefault(id_, (asyncio.Event(), Counter()))
        waiting[user] += 1
        self._users[user] += 1
        if self._looking is None:
            self._looking = asyncio.create_task(self._look_again_and_again())
        try:
            yield over
        finally:
            for counts in (waiting, self._users):
                counts[user] -= 1
                if not counts[user]:
                    del counts[user]
            if not waiting and self._over.get(id_, (None,))[0] is over:
                del self._over[id_]

    async def _look_again_and_again(self) -> None:
        """Look at jobs and studies while any request waits: at announced changes at once, at all of them every
        `LOOK_AGAIN_S`."""
        loop = asyncio.get_running_loop()
        everything_at = loop.time() + LOOK_AGAIN_S
        try:
            while self._over:
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout_at(everything_at):
                        await self._told.wait()
                self._told.clear()
                ids, self._changed = self._changed, set()
                if loop.time() >= everything_at:
                    ids = set(self._over)
                await self._look(ids)
                if loop.time() >= everything_at:
                    everything_at = loop.time() + LOOK_AGAIN_S
        finally:
            self._looking = None

    async def _look(self, ids: Collection[str]) -> None:
        try:
            states = await self._states.ask(list(ids)) if ids else {}
        except StoreUnavailable as error:
            log.warning("waiting requests get no updates: the store does not answer: %s", error)
            return
        except Exception:
            log.exception("waiting requests get no updates")
            return
        for id_ in ids:
            if id_ in self._over and (id_ not in states or states[id_].over):
                self._over.pop(id_)[0].set()

    def _answer(self, asked: Sequence[Sequence[str]]) -> Sequence[Mapping[str, WaitState]]:
        """Return one mapping for all questions, so that an id that many ask for is read once."""
        ids = list({id_ for some in asked for id_ in some})
        states: dict[str, WaitState] = {}
        for start in range(0, len(ids), _AT_ONCE):
            states.update(self._read(ids[start : start + _AT_ONCE]))
        return [states] * len(asked)
