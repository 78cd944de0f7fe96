"""Lanes: questions that many requests put to the store at the same time are asked together.

A commit that survives power loss costs one fsync, however many rows it holds, and a query costs one round trip. So all
questions that arrive while the lane is busy go together in its next turn. Under load, commits are shared; when idle,
nothing waits.

Owns the batching, the thread and the deadline after which a request stops waiting. Also owns that a question that
cannot be answered spoils no other. Knows neither jobs nor HTTP.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Hashable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Generic, TypeVar

from shared.errors import RingtrueError, StoreBusy, StoreTooSlow

Question = TypeVar("Question")
Answer = TypeVar("Answer")
_Asked = tuple[Question, asyncio.Future[Answer], float]
_Batch = list[_Asked[Question, Answer]]

DEADLINE_S = 10.0
"""Seconds that a request waits for one answer of the store, unless its lane or pool sets another deadline."""


async def in_time(answer: Awaitable[Answer], deadline_s: float = DEADLINE_S) -> Answer:
    """Return what is awaited. Raises `StoreTooSlow` after the deadline."""
    try:
        async with asyncio.timeout(deadline_s):
            return await answer
    except TimeoutError:
        raise StoreTooSlow(f"there was no answer within {deadline_s:g} s") from None


class GroupCommit(Generic[Question, Answer]):
    """A lane: one thread that calls ``answer`` with all waiting questions. It returns their answers in the same order.

    ``whose``: the user who asks. If a lock is in the way (`StoreBusy`), the questions of each user are answered apart,
    so that only those whose own lock it is fail. For use from one event loop.
    """

    def __init__(
        self,
        name: str,
        answer: Callable[[Sequence[Question]], Sequence[Answer]],
        *,
        most: int = 256,
        deadline_s: float = DEADLINE_S,
        whose: Callable[[Question], Hashable] = lambda _: None,
    ) -> None:
        self._answer = answer
        self._most = most
        self._deadline_s = deadline_s
        self._whose = whose
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix=name)
        self._waiting: _Batch[Question, Answer] = []
        self._being_asked: Sequence[_Asked[Question, Answer]] = ()
        self._watch: asyncio.TimerHandle | None = None
        self._turns: asyncio.Task[None] | None = None

    async def ask(self, question: Question) -> Answer:
        """Return the answer to one question. Raises what answering it raised, and `StoreTooSlow` after the deadline.

        A question that is still waiting at its deadline is not asked any more."""
        loop = asyncio.get_running_loop()
        answer: asyncio.Future[Answer] = loop.create_future()
        self._waiting.append((question, answer, loop.time() + self._deadline_s))
        if self._watch is None:
            self._watch = loop.call_later(self._deadline_s, self._give_up)
        if self._turns is None:
            self._turns = loop.create_task(self._take_turns())
        return await answer

    def close(self) -> None:
        """End the thread when its current turn is done."""
        self._thread.shutdown(wait=True)

    async def _take_turns(self) -> None:
        while self._waiting:
            batch, self._waiting = self._waiting[: self._most], self._waiting[self._most :]
            batch = [one for one in batch if not one[1].done()]
            if not batch:
                continue
            self._being_asked = batch
            error = await self._serve(batch)
            parts = [batch] if error is None else self._apart(batch, error)
            if len(parts) > 1:
                for part in parts:
                    _fail(part, await self._serve(part))
            else:
                _fail(batch, error)
        self._turns, self._being_asked = None, ()

    def _give_up(self) -> None:
        """Fail every question whose deadline has passed. One timer serves all: one for each would cost every
        request."""
        loop = asyncio.get_running_loop()
        now, asked = loop.time(), [one for one in (*self._being_asked, *self._waiting) if not one[1].done()]
        _fail([one for one in asked if one[2] <= now], StoreTooSlow(f"no answer within {self._deadline_s:g} s"))
        later = [until for _, answer, until in asked if not answer.done()]
        self._watch = loop.call_at(min(later), self._give_up) if later else None

    def _apart(self, batch: Sequence[_Asked[Question, Answer]], error: BaseException) -> list[_Batch[Question, Answer]]:
        """Split a batch that failed into parts to be answered one by one, so that one question does not spoil the
        others."""
        if isinstance(error, StoreBusy):
            parts: dict[Hashable, _Batch[Question, Answer]] = {}
            for one in batch:
                parts.setdefault(self._whose(one[0]), []).append(one)
            return list(parts.values())
        if isinstance(error, RingtrueError):
            return [list(batch)]  # the store is away: do not ask it again for each question
        return [[one] for one in batch]

    async def _serve(self, batch: Sequence[_Asked[Question, Answer]]) -> BaseException | None:
        """Answer a batch. Return the error if there is one; then no question of the batch has been answered."""
        turn = asyncio.get_running_loop().run_in_executor(self._thread, self._answer, [one[0] for one in batch])
        await asyncio.wait([turn])
        if (error := turn.exception()) is not None:
            return error
        for (_, future, _), answer in zip(batch, turn.result(), strict=True):
            if not future.done():
                future.set_result(answer)
        return None


def _fail(batch: Iterable[_Asked[Question, Answer]], error: BaseException | None) -> None:
    for _, future, _ in batch:
        if error is not None and not future.done():
            future.set_exception(error)
