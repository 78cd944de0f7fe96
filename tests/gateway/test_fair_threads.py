"""Threads that users share: one who is slow holds up nobody, and nobody waits for ever."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager, suppress

import pytest

from services.gateway.sharing.fair_threads import FairThreads
from shared.errors import RefusalCode, Refused, StoreTooSlow

pytestmark = pytest.mark.anyio
PATIENCE_S = 20.0


class Stuck:
    """Work that does not end before ``go``."""

    def __init__(self) -> None:
        self.go = threading.Event()
        self.begun = 0

    def __call__(self) -> str:
        self.begun += 1
        assert self.go.wait(PATIENCE_S)
        return "done"


@contextmanager
def opened(**changes: float | None) -> Iterator[FairThreads]:
    arguments = {"threads": 2, "of_one_user": 1, "most": 10, "deadline_s": None, **changes}
    threads = FairThreads("test", doing="things", **arguments)  # type: ignore[arg-type]
    yield threads
    threads.close()


@pytest.fixture
async def stuck() -> AsyncIterator[Stuck]:
    work = Stuck()
    yield work
    work.go.set()


async def test_it_answers_and_raises_what_was_raised() -> None:
    with opened() as threads:
        assert await threads.run("alice", lambda: 42) == 42
        with pytest.raises(ZeroDivisionError):
            await threads.run("alice", lambda: 1 // 0)
        assert await threads.run("alice", lambda: 43) == 43, "and the slot is free again"


async def test_a_user_who_is_stuck_holds_up_nobody_else(stuck: Stuck) -> None:
    with opened() as threads:
        alices = [asyncio.create_task(threads.run("alice", stuck)) for _ in range(8)]
        assert await asyncio.wait_for(threads.run("bob", lambda: "bob's"), PATIENCE_S) == "bob's"
        assert stuck.begun == 1
        stuck.go.set()
        assert await asyncio.gather(*alices) == ["done"] * 8


async def test_after_the_deadline_nobody_waits_but_the_slot_is_still_held(stuck: Stuck) -> None:
    with opened(threads=1, deadline_s=0.1) as threads:
        with pytest.raises(StoreTooSlow):
            await threads.run("alice", stuck)
        with pytest.raises(StoreTooSlow):
            await threads.run("bob", lambda: "never begun")
        assert stuck.begun == 1
        stuck.go.set()
        async with asyncio.timeout(PATIENCE_S):
            while True:
                with suppress(StoreTooSlow):
                    assert await threads.run("bob", lambda: "bob's") == "bob's"
                    break


async def test_work_that_ended_while_the_loop_was_busy_past_the_deadline_is_answered() -> None:
    done = threading.Event()
    with opened(deadline_s=0.05) as threads:
        asked = asyncio.create_task(threads.run("alice", lambda: done.set() or 42))
        await asyncio.sleep(0)  # it is under way
        assert done.wait(PATIENCE_S)
        time.sleep(0.2)
        assert await asked == 42


async def test_what_asks_for_the_same_and_has_not_begun_is_done_once(stuck: Stuck) -> None:
    calls: list[int] = []
    with opened() as threads:
        first = asyncio.create_task(threads.run("alice", stuck, same="other"))
        await asyncio.sleep(0)
        asking = [asyncio.create_task(threads.run("alice", lambda: calls.append(1), same="one")) for _ in range(60)]
        await asyncio.sleep(0)
        stuck.go.set()
        await asyncio.gather(first, *asking)
        assert len(calls) == 1
        await threads.run("alice", lambda: calls.append(2), same="one")
        assert calls == [1, 2], "what has begun is not joined: it may have looked before"


async def test_the_same_asked_for_by_two_users_is_done_for_each() -> None:
    calls: list[str] = []
    with opened() as threads:
        await asyncio.gather(*(threads.run(user, lambda u=user: calls.append(u), same="one") for user in "ab"))
    assert sorted(calls) == ["a", "b"]


async def test_too_much_of_one_user_is_refused(stuck: Stuck) -> None:
    with opened(most=3) as threads:
        asking = [asyncio.create_task(threads.run("alice", stuck)) for _ in range(3)]
        await asyncio.sleep(0.01)
        with pytest.raises(Refused) as refusal:
            await threads.run("alice", stuck)
        assert refusal.value.code is RefusalCode.RATE_LIMITED
        assert await threads.run("bob", lambda: 1) == 1
        stuck.go.set()
        await asyncio.gather(*asking)
