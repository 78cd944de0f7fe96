"""An estimate of how many jobs of each user are waiting: good enough to refuse more before the store is swamped, and
before one user takes all the room.

Owns the limit and each user's share of it: a user may have as many jobs waiting as there is room left after them. So a
user alone may have half of the limit, and two users who want as much as they can get have a third each. There is always
room for one more user.

The store counts every few seconds (`recount`). In between, jobs accepted here are added to that count. Other gateways
accept jobs too, so a user who has sent many since the last count is not judged by it any longer.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping

from services.gateway.sharing.group_commit import in_time
from shared.errors import RefusalCode, Refused

MAX_QUEUED_JOBS = 200_000
"""Most waiting jobs of all users together."""
RECOUNT_AFTER = 5_000
"""So many jobs of one user, accepted here since the last count, make it outdated: other gateways may have accepted as
many by then."""
_RETRY_AFTER_S = 10
_STALE_S = 1.0
"""Seconds. No job is refused by a count that is older."""

Count = Callable[[], Mapping[str, int]]
"""Returns the queued jobs of each user. Blocks."""


class Backlog:
    """The limit on waiting jobs. ``count`` is called in a thread. For use from one event loop."""

    def __init__(self, count: Count, limit: int = MAX_QUEUED_JOBS) -> None:
        self._count = count
        self._limit = limit
        self._counted = _Tally()
        self._accepted = _Tally()
        """Jobs accepted here since that count."""
        self._in_flight = _Tally()
        """Jobs that got room and are not committed yet."""
        self._counted_at = float("-inf")
        self._counting: asyncio.Task[None] | None = None

    async def make_room(self, user: str, jobs: int) -> None:
        """Reserve room for ``jobs`` more of this user. Call `settled` afterwards.

        Raises `Refused` (`backlog_full`) if there is no room. Before that, the store is asked again unless it was just
        now."""
        much = self._accepted.of.get(user, 0) + jobs > RECOUNT_AFTER
        if (much or self._room(user) < jobs) and self._is_stale():
            await self.recount()
        if (room := self._room(user)) < jobs:
            raise self._full(user, jobs, room)
        self._in_flight.add(user, jobs)

    def settled(self, user: str, jobs: int, *, added: bool) -> None:
        """Give back the room reserved by `make_room`. ``added``: whether the jobs were committed."""
        self._in_flight.add(user, -jobs)
        if added:
            self._accepted.add(user, jobs)

    async def recount(self) -> None:
        """Ask the store for its count. Raises what the store raises; the last count is then kept."""
        if self._counting is None:
            self._counting = asyncio.create_task(self._recount())
        await in_time(asyncio.shield(self._counting))

    async def _recount(self) -> None:
        # A job accepted during the count may be counted twice, until the next count.
        before, self._accepted = self._accepted, _Tally()
        try:
            self._counted = _Tally(await asyncio.to_thread(self._count))
            self._counted_at = asyncio.get_running_loop().time()
        except BaseException:
            for user, jobs in before.of.items():
                self._accepted.add(user, jobs)
            raise
        finally:
            self._counting = None

    def _is_stale(self) -> bool:
        return asyncio.get_running_loop().time() - self._counted_at > _STALE_S

    def _waiting(self, user: str) -> tuple[int, int]:
        """Return how many jobs of this user, and how many of all users, are waiting."""
        counted, accepted, in_flight = self._counted, self._accepted, self._in_flight
        mine = counted.of.get(user, 0) + accepted.of.get(user, 0) + in_flight.of.get(user, 0)
        return mine, counted.all + accepted.all + in_flight.all

    def _room(self, user: str) -> int:
        """Return how many more jobs this user may add: half of what the others leave, rounded up, less what the user
        has."""
        mine, everybody = self._waiting(user)
        left_by_others = self._limit - (everybody - mine)
        return (left_by_others + 1) // 2 - mine

    def _full(self, user: str, more: int, room: int) -> Refused:
        mine, everybody = self._waiting(user)
        detail = (
            f"{mine} jobs of yours are waiting, {everybody} of all users. You may add {max(0, room)} now, not {more}:"
            f" of {self._limit} places, one user may use half of what the others leave"
        )
        return Refused(RefusalCode.BACKLOG_FULL, detail, retry_after_s=_RETRY_AFTER_S)


class _Tally:
    """Numbers of jobs by user, and their sum."""

    def __init__(self, of: Mapping[str, int] | None = None) -> None:
        self.of = dict(of or {})
        self.all = sum(self.of.values())

    def add(self, user: str, jobs: int) -> None:
        self.all += jobs
        if left := self.of.get(user, 0) + jobs:
            self.of[user] = left
        else:
            self.of.pop(user, None)
