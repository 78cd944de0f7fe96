"""Slots that users share fairly: however much one user asks for, another waits for one unit of that work at most.

Owns who is next (the user who holds least, then the one who was served longest ago), and how much of one user's work
may run or wait. Knows neither threads nor what is done in a slot. For use from one event loop.
"""

from __future__ import annotations

import asyncio
from collections import Counter, OrderedDict, deque
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager

from shared.errors import RefusalCode, Refused

RETRY_AFTER_S = 1
"""Seconds, for a user with too much work: the work of one slot takes less."""
_REMEMBERED_USERS = 4096
"""For so many users it is known when they were last served. A user who was forgotten counts as new."""


class FairSlots:
    """``total`` slots; one user gets ``of_one_user`` at most, even if others are free.

    ``most``: how many visits of one user may run or wait (see `visit`). ``doing``: what they are called in the
    message."""

    def __init__(self, total: int, *, of_one_user: int, most: int, doing: str) -> None:
        self._free = total
        self._of_one_user = of_one_user
        self._most = most
        self._doing = doing
        self._held: Counter[str] = Counter()
        self._visits: Counter[str] = Counter()
        self._waiting: dict[str, deque[asyncio.Future[None]]] = {}
        self._served: OrderedDict[str, None] = OrderedDict()  # served longest ago comes first

    @contextmanager
    def visit(self, user: str) -> Iterator[None]:
        """Count one more visit of this user. Enter it before the body is read.

        Raises `Refused` (`rate_limited`) if the user has too many."""
        self.enter(user)
        try:
            yield
        finally:
            self.leave(user)

    def enter(self, user: str) -> None:
        """Begin a visit. End it with `leave`. Raises `Refused` as `visit` does."""
        if self._visits[user] >= self._most:
            detail = (
                f"{self._visits[user]} {self._doing} of yours are running or waiting; at most {self._most} are allowed"
            )
            raise Refused(RefusalCode.RATE_LIMITED, detail, retry_after_s=RETRY_AFTER_S)
        self._visits[user] += 1

    def leave(self, user: str) -> None:
        """End a visit."""
        _less(self._visits, user)

    @asynccontextmanager
    async def slot(self, user: str) -> AsyncIterator[None]:
        """Hold a slot for the time of the block."""
        await self.acquire(user)
        try:
            yield
        finally:
            self.release(user)

    async def acquire(self, user: str) -> None:
        """Wait for a slot and take it. It is held until `release`."""
        if self.take_free_one(user):
            return
        mine: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.setdefault(user, deque()).append(mine)
        try:
            await mine
        except asyncio.CancelledError:
            if mine.done() and not mine.cancelled():
                self.release(user)  # the slot was given just before the cancellation
            else:
                self._forget(user, mine)
            raise

    def take_free_one(self, user: str) -> bool:
        """Take a slot if one is free. Return whether it was taken. Never waits."""
        # This passes over no waiting user: if a slot is free, those who wait hold as many as one user may.
        if self._free and self._held[user] < self._of_one_user:
            self._take(user)
            return True
        return False

    def release(self, user: str) -> None:
        """Give a slot back, and hand free slots to users who wait."""
        self._free += 1
        _less(self._held, user)
        while self._free and (next_user := self._next()) is not None:
            mine = self._waiting[next_user].popleft()
            if not self._waiting[next_user]:
                del self._waiting[next_user]
            if not mine.done():  # a canceled waiter is already done; it removes itself a moment later
                self._take(next_user)
                mine.set_result(None)

    def _take(self, user: str) -> None:
        self._free -= 1
        self._held[user] += 1
        self._served[user] = None
        self._served.move_to_end(user)
        if len(self._served) > _REMEMBERED_USERS:
            self._served.popitem(last=False)

    def _next(self) -> str | None:
        """Return the next user among those who wait and may have one more slot, or None."""
        may = [user for user in self._waiting if self._held[user] < self._of_one_user]
        if len(may) < 2:
            return may[0] if may else None
        ranks = {user: rank for rank, user in enumerate(self._served) if user in self._waiting}
        return min(may, key=lambda user: (self._held[user], ranks.get(user, -1)))

    def _forget(self, user: str, mine: asyncio.Future[None]) -> None:
        line = self._waiting.get(user)
        if line is not None and mine in line:
            line.remove(mine)
            if not line:
                del self._waiting[user]


def _less(counts: Counter[str], user: str) -> None:
    counts[user] -= 1
    if not counts[user]:
        del counts[user]
