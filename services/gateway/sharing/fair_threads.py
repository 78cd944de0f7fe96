"""Threads that users share fairly: work that takes processor time, or waits for a store, runs here and not on the loop.

Owns that a slot is held until its thread is free again, even if no request waits for it any more; and the deadline
after which requests stop waiting. Does not know what the work is. `fair_slots.py` says whose turn it is. For use from
one event loop.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Hashable
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractAsyncContextManager, AbstractContextManager
from typing import Any, TypeVar

from services.gateway.sharing.fair_slots import FairSlots
from shared.errors import StoreTooSlow

T = TypeVar("T")


class FairThreads:
    """One slot per thread. The other arguments are those of `FairSlots`. ``deadline_s``: for work that asks the
    store."""

    def __init__(
        self, name: str, threads: int, *, of_one_user: int, most: int, doing: str, deadline_s: float | None = None
    ) -> None:
        self._slots = FairSlots(threads, of_one_user=of_one_user, most=most, doing=doing)
        self._threads = ThreadPoolExecutor(max_workers=threads, thread_name_prefix=name)
        self._deadline_s = deadline_s
        self._not_begun: dict[Hashable, asyncio.Task[Any]] = {}

    def visit(self, user: str) -> AbstractContextManager[None]:
        """Count one more visit of this user, before its body is read. See `FairSlots.visit`."""
        return self._slots.visit(user)

    def slot(self, user: str) -> AbstractAsyncContextManager[None]:
        """Hold a slot for several steps, each of them `in_thread`."""
        return self._slots.slot(user)

    async def in_thread(self, work: Callable[[], T]) -> T:
        """Return the result of ``work``, done in a thread. The caller must hold a slot."""
        return await asyncio.get_running_loop().run_in_executor(self._threads, work)

    async def run(self, user: str, work: Callable[[], T], same: Hashable = None) -> T:
        """Return the result of ``work``, done in a slot and a thread when it is the user's turn.

        ``same``: what the work asks for. Calls of one user with an equal ``same`` share one run until it begins. Raises
        `StoreTooSlow` after the deadline, `Refused` if the user has too much work, and what ``work`` raises."""
        if same is None:
            return await self._run(user, work, None)
        share = (user, same)
        task: asyncio.Task[T] | None = self._not_begun.get(share)
        if task is None:
            task = self._not_begun[share] = asyncio.create_task(self._run(user, work, share))
            task.add_done_callback(_looked_at)
        return await asyncio.shield(task)

    def close(self) -> None:
        """End the threads when their current work is done. Work that has not begun is dropped."""
        self._threads.shutdown(wait=True, cancel_futures=True)

    async def _run(self, user: str, work: Callable[[], T], share: Hashable) -> T:
        loop = asyncio.get_running_loop()
        until = None if self._deadline_s is None else loop.time() + self._deadline_s
        try:
            self._slots.enter(user)
            try:
                await self._in_turn(user, until)
            except BaseException:
                self._slots.leave(user)
                raise
        finally:
            self._begun(share)
        running = loop.run_in_executor(self._threads, work)
        # A callback, not a `finally`: if the caller gives up, the thread is still busy and its slot must not become
        # free.
        running.add_done_callback(lambda _: self._ended(user))
        try:
            async with asyncio.timeout_at(until):
                return await asyncio.shield(running)
        except TimeoutError:
            if running.done():  # the work raised it, or ended while the loop was too busy to notice before the deadline
                return running.result()
            raise _too_slow(self._deadline_s) from None

    async def _in_turn(self, user: str, until: float | None) -> None:
        if self._slots.take_free_one(user):
            return
        try:
            async with asyncio.timeout_at(until):
                await self._slots.acquire(user)
        except TimeoutError:
            raise _too_slow(self._deadline_s) from None

    def _begun(self, share: Hashable) -> None:
        if share is not None and self._not_begun.get(share) is asyncio.current_task():
            del self._not_begun[share]

    def _ended(self, user: str) -> None:
        self._slots.release(user)
        self._slots.leave(user)


def _too_slow(deadline_s: float | None) -> StoreTooSlow:
    return StoreTooSlow(f"there was no answer within {deadline_s:g} s" if deadline_s else "there was no answer")


def _looked_at(task: asyncio.Task[Any]) -> None:
    """Read the exception of a task that may have no waiter left, so that asyncio does not log it as never retrieved."""
    if not task.cancelled():
        task.exception()
