"""Slots: who is served next, how much one user may have, and that none is ever lost. No time passes here."""

from __future__ import annotations

import asyncio
from collections import Counter

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.gateway.sharing.fair_slots import FairSlots
from shared.errors import RefusalCode, Refused

pytestmark = pytest.mark.anyio


def slots(total: int = 1, of_one_user: int = 1, most: int = 100) -> FairSlots:
    return FairSlots(total, of_one_user=of_one_user, most=most, doing="things")


class Street:
    """Users who ask for slots; ``served`` in the order in which they were given."""

    def __init__(self, of: FairSlots) -> None:
        self.slots = of
        self.served: list[str] = []
        self.asking: list[asyncio.Task[None]] = []

    async def ask(self, *users: str) -> None:
        for user in users:
            self.asking.append(asyncio.create_task(self._asked(user)))
            await asyncio.sleep(0)

    async def _asked(self, user: str) -> None:
        await self.slots.acquire(user)
        self.served.append(user)

    async def done(self, user: str) -> None:
        self.slots.release(user)
        await asyncio.sleep(0)
        await asyncio.sleep(0)


async def test_another_user_waits_for_one_piece_of_work_at_most() -> None:
    street = Street(slots())
    await street.ask(*["alice"] * 50, "bob")
    await street.done("alice")
    assert street.served == ["alice", "bob"]


async def test_users_are_served_in_turn() -> None:
    street = Street(slots())
    await street.ask(*["alice"] * 4, *["bob"] * 3, "carol")
    while len(street.served) < 8:
        await street.done(street.served[-1])
    assert street.served[0] == "alice"
    assert sorted(street.served[1:3]) == ["bob", "carol"]
    assert Counter(street.served) == {"alice": 4, "bob": 3, "carol": 1}
    assert all(one != other for one, other in zip(street.served[:6], street.served[1:7], strict=True)), "never twice"


async def test_who_comes_again_and_again_does_not_pass_over_who_waits() -> None:
    street = Street(slots())
    await street.ask("alice", "alice", "alice", "bob")
    for _ in range(4):
        await street.done(street.served[-1])
        await street.ask("bob")
    assert street.served[:5] == ["alice", "bob", "alice", "bob", "alice"]


async def test_one_user_has_no_more_than_may_be_even_where_slots_are_free() -> None:
    street = Street(slots(total=4, of_one_user=2))
    await street.ask(*["alice"] * 5)
    assert street.served == ["alice"] * 2
    await street.ask("bob", "carol")
    assert street.served == ["alice", "alice", "bob", "carol"]
    await street.done("bob")
    assert street.served == ["alice", "alice", "bob", "carol"], "a free slot is not for who has enough"
    await street.done("alice")
    assert street.served[4:] == ["alice"]


async def test_who_holds_fewer_goes_first() -> None:
    street = Street(slots(total=2, of_one_user=2))
    await street.ask("alice", "alice", "alice", "bob", "bob")
    await street.done("alice")
    await street.done("alice")
    assert street.served[2:] == ["bob", "alice"]


async def test_too_much_of_one_user_is_refused_and_of_nobody_else() -> None:
    few = slots(most=2)
    with few.visit("alice"), few.visit("alice"):
        with pytest.raises(Refused, match=r"2 things of yours .* at most 2 are allowed") as refusal, few.visit("alice"):
            pass
        assert refusal.value.code is RefusalCode.RATE_LIMITED
        assert refusal.value.retry_after_s == 1
        with few.visit("bob"):
            pass
    with few.visit("alice"), few.visit("alice"):
        pass


async def test_who_went_away_is_passed_over() -> None:
    street = Street(slots())
    await street.ask("alice", "bob", "carol")
    street.asking[1].cancel()
    await street.done("alice")
    assert street.served == ["alice", "carol"]
    await street.done("carol")
    await street.ask("dave")
    assert street.served[-1] == "dave", "no slot was lost with who went away"


async def test_who_goes_away_in_the_moment_of_being_served_gives_it_back() -> None:
    street = Street(slots())
    await street.ask("alice", "bob", "carol")
    street.slots.release("alice")  # bob's now, who has not heard of it
    street.asking[1].cancel()
    for _ in range(4):
        await asyncio.sleep(0)
    assert street.served == ["alice", "carol"]


_STEPS = st.lists(
    st.tuples(st.sampled_from(["ask", "done", "cancel"]), st.sampled_from(["a", "b", "c"]), st.integers(0, 50)),
    max_size=60,
)


@settings(max_examples=60, deadline=None)
@given(_STEPS, st.integers(1, 3), st.integers(1, 3))
def test_whatever_happens_limits_hold_and_no_slot_is_lost(
    steps: list[tuple[str, str, int]], total: int, of_one: int
) -> None:
    async def live() -> None:
        fair = slots(total, of_one)
        held: Counter[str] = Counter()
        asking: list[tuple[str, asyncio.Task[None]]] = []

        async def asked(user: str) -> None:
            await fair.acquire(user)
            held[user] += 1

        for what, user, which in steps:
            if what == "ask":
                asking.append((user, asyncio.create_task(asked(user))))
            elif what == "done" and held[user]:
                held[user] -= 1
                fair.release(user)
            elif what == "cancel" and asking:
                asking[which % len(asking)][1].cancel()
            for _ in range(4):
                await asyncio.sleep(0)
            waiting = {user for user, task in asking if not task.done()}
            assert held.total() <= total
            assert all(count <= of_one for count in held.values())
            if held.total() < total:
                assert all(held[user] == of_one for user in waiting), "nobody waits for a slot that is free"
        for user in list(held.elements()):
            fair.release(user)
            held[user] -= 1
        for _ in range(200):
            await asyncio.sleep(0)
            for user in list(held.elements()):
                fair.release(user)
                held[user] -= 1
        assert all(task.done() for _, task in asking), "everybody was served in the end"

    asyncio.run(live())
