"""Questions that wait at the same time are asked in one go."""

from __future__ import annotations

import asyncio
import contextlib
import threading
from collections.abc import Sequence

import pytest

from services.gateway.jobs.places import Places
from services.gateway.sharing.group_commit import GroupCommit
from shared.errors import StoreBusy, StoreTooSlow, StoreUnavailable

pytestmark = pytest.mark.anyio


class Desk:
    """Answers with the number's double; keeps what it was asked, and waits for ``open`` before it answers."""

    def __init__(self, *, error: Exception | None = None) -> None:
        self.turns: list[list[int]] = []
        self.open = threading.Event()
        self._error = error

    def answer(self, numbers: Sequence[int]) -> list[int]:
        self.turns.append(list(numbers))
        assert self.open.wait(10)
        if self._error is not None and 13 in numbers:
            raise self._error
        return [2 * number for number in numbers]


async def started(desk: Desk) -> None:
    while not desk.turns:
        await asyncio.sleep(0.001)


async def test_what_waits_while_it_is_busy_goes_together() -> None:
    desk = Desk()
    lane = GroupCommit("test", desk.answer)
    first = asyncio.create_task(lane.ask(1))
    await started(desk)
    others = [asyncio.create_task(lane.ask(number)) for number in range(2, 10)]
    await asyncio.sleep(0)
    desk.open.set()
    assert await asyncio.gather(first, *others) == [2 * number for number in range(1, 10)]
    assert desk.turns == [[1], list(range(2, 10))]
    lane.close()


async def test_a_turn_is_no_larger_than_it_may_be() -> None:
    desk = Desk()
    desk.open.set()
    lane = GroupCommit("test", desk.answer, most=4)
    assert await asyncio.gather(*map(lane.ask, range(10))) == [2 * number for number in range(10)]
    assert [len(turn) for turn in desk.turns] == [4, 4, 2]
    lane.close()


async def test_one_question_that_cannot_be_answered_does_not_spoil_its_neighbours() -> None:
    desk = Desk(error=ValueError("thirteen"))
    desk.open.set()
    lane = GroupCommit("test", desk.answer)
    answers = await asyncio.gather(*map(lane.ask, (12, 13, 14)), return_exceptions=True)
    assert (answers[0], answers[2]) == (24, 28)
    assert isinstance(answers[1], ValueError)
    assert await lane.ask(15) == 30, "and the lane goes on"
    lane.close()


async def test_an_error_that_is_nobodys_own_is_everybodys() -> None:
    desk = Desk(error=StoreUnavailable("away"))
    desk.open.set()
    lane = GroupCommit("test", desk.answer)
    answers = await asyncio.gather(*map(lane.ask, (12, 13, 14)), return_exceptions=True)
    assert all(isinstance(answer, StoreUnavailable) for answer in answers)
    assert desk.turns == [[12, 13, 14]], "a store that is away is not asked again one by one"
    lane.close()


async def test_somebody_who_went_away_is_not_waited_for() -> None:
    desk = Desk()
    lane = GroupCommit("test", desk.answer)
    gone, stays = asyncio.create_task(lane.ask(1)), asyncio.create_task(lane.ask(2))
    await started(desk)
    gone.cancel()
    await asyncio.sleep(0)
    desk.open.set()
    assert await stays == 4
    lane.close()


async def test_a_lock_in_the_way_of_one_user_is_nobody_elses() -> None:
    desk = Desk(error=StoreBusy("locked"))
    desk.open.set()
    lane = GroupCommit("test", desk.answer, whose=lambda number: number > 12)
    answers = await asyncio.gather(*map(lane.ask, (11, 12, 13, 14)), return_exceptions=True)
    assert answers[:2] == [22, 24]
    assert all(isinstance(answer, StoreBusy) for answer in answers[2:])
    assert desk.turns == [[11, 12, 13, 14], [11, 12], [13, 14]]
    lane.close()


async def test_nobody_waits_longer_than_the_deadline_and_what_was_not_asked_by_then_never_is() -> None:
    desk = Desk()
    lane = GroupCommit("test", desk.answer, deadline_s=0.05)
    first = asyncio.create_task(lane.ask(1))
    await started(desk)
    for late in (first, asyncio.create_task(lane.ask(2))):
        with pytest.raises(StoreTooSlow):
            await late
    desk.open.set()
    while desk.turns != [[1], [3]]:
        with contextlib.suppress(StoreTooSlow):
            assert await lane.ask(3) == 6
            break
    assert [2] not in desk.turns
    lane.close()


def test_places_are_exact_while_counting_is_cheap() -> None:
    counts = iter(({"a": 2, "b": 3}, {"a": 1, "b": 2}))
    places = Places(lambda _: next(counts))
    assert places.of(["a", "b"]) == {"a": 2, "b": 3}
    assert places.of(["a", "b"]) == {"a": 1, "b": 2}


def test_places_grow_old_when_counting_is_dear() -> None:
    asked: list[list[str]] = []

    def count(ids: Sequence[str]) -> dict[str, int]:
        asked.append(list(ids))
        threading.Event().wait(0.02)
        return dict.fromkeys(ids, len(asked))

    places = Places(count)
    assert places.of(["a"]) == {"a": 1}
    assert places.of(["a"]) == {"a": 1}
    assert places.of(["b"]) == {}
    assert len(asked) == 1, "a count that took long is not repeated at once"


def test_without_anything_queued_nothing_is_counted() -> None:
    assert Places(lambda _: pytest.fail("asked")).of([]) == {}
