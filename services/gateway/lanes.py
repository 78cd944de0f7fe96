"""Lanes: what many requests ask of the store at the same time, asked in one go.

A commit that survives power loss costs an fsync however many rows it holds, and a query costs its round trip. So
all that waits while the lane is busy goes together in its next turn: under load a commit is shared, idle nothing waits.

Owns the batching and the thread. Knows neither jobs nor HTTP.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Generic, TypeVar

from shared.errors import RingtrueError

Question = TypeVar("Question")
Answer = TypeVar("Answer")


class Lane(Generic[Question, Answer]):
    """One thread; ``answer`` is called in it with every question that is waiting and gives their answers in order.

    For use from one event loop.
    """

    def __init__(self, name: str, answer: Callable[[Sequence[Question]], Sequence[Answer]], *, most: int = 256) -> None:
        self._answer = answer
        self._most = most
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix=name)
        self._waiting: list[tuple[Question, asyncio.Future[Answer]]] = []
        self._turns: asyncio.Task[None] | None = None

    async def ask(self, question: Question) -> Answer:
        """The answer to one question; raises what answering it raised."""
        loop = asyncio.get_running_loop()
        answer: asyncio.Future[Answer] = loop.create_future()
        self._waiting.append((question, answer))
        if self._turns is None:
            self._turns = loop.create_task(self._take_turns())
        return await answer

    def close(self) -> None:
        """End the thread once what it is doing is done."""
        self._thread.shutdown(wait=True)

    async def _take_turns(self) -> None:
        while self._waiting:
            batch, self._waiting = self._waiting[: self._most], self._waiting[self._most :]
            error = await self._serve(batch)
            if error is not None and not isinstance(error, RingtrueError) and len(batch) > 1:
                # One question that cannot be answered must not spoil its neighbours.
                for one in batch:
                    _fail([one], await self._serve([one]))
            else:
                _fail(batch, error)
        self._turns = None

    async def _serve(self, batch: Sequence[tuple[Question, asyncio.Future[Answer]]]) -> BaseException | None:
        """Answer a batch; the error if there is one, and then nobody has been answered."""
        turn = asyncio.get_running_loop().run_in_executor(self._thread, self._answer, [asked for asked, _ in batch])
        await asyncio.wait([turn])
        if (error := turn.exception()) is not None:
            return error
        for (_, future), answer in zip(batch, turn.result(), strict=True):
            if not future.done():
                future.set_result(answer)
        return None


def _fail(batch: Sequence[tuple[Question, asyncio.Future[Answer]]], error: BaseException | None) -> None:
    for _, future in batch:
        if error is not None and not future.done():
            future.set_exception(error)
