"""The share of the queue that one user may have: half of what the others leave, whoever counts."""

from __future__ import annotations

import asyncio
import threading
from collections import Counter
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.gateway.sharing.backlog import RECOUNT_AFTER, Backlog
from shared.errors import RefusalCode, Refused, StoreUnavailable
from tests.gateway.evaluating import WANTED
from tests.gateway.place import SENTENCE, opened, refused

pytestmark = pytest.mark.anyio


async def take(backlog: Backlog, user: str, jobs: int, *, added: bool = True) -> bool:
    """Whether there was room."""
    try:
        await backlog.make_room(user, jobs)
    except Refused as refusal:
        return not (refusal.code is RefusalCode.BACKLOG_FULL and refusal.retry_after_s)
    backlog.settled(user, jobs, added=added)
    return True


@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(st.sampled_from("abcd"), st.integers(1, 40)), max_size=60), st.integers(10, 200))
def test_there_is_always_room_for_one_more_user_and_never_too_much(asked: list[tuple[str, int]], limit: int) -> None:
    async def live() -> None:
        backlog, taken = Backlog(lambda: dict(taken), limit), Counter[str]()
        for user, jobs in asked:
            others = taken.total() - taken[user]
            fits = 2 * (taken[user] + jobs) <= limit - others + 1
            assert await take(backlog, user, jobs) is fits
            if fits:
                taken[user] += jobs
            assert taken.total() <= limit
        newcomer = (limit - taken.total() + 1) // 2
        assert newcomer >= 1 or taken.total() == limit
        assert await take(backlog, "new", newcomer) or not newcomer

    asyncio.run(live())


async def test_a_user_alone_has_half_and_two_greedy_ones_a_third_each() -> None:
    taken = Counter[str]()
    backlog = Backlog(lambda: dict(taken), 900)
    while await take(backlog, "alice", 1):
        taken["alice"] += 1
    assert taken["alice"] == 450
    taken["alice"] = 0
    await backlog.recount()
    for _ in range(900):
        for user in ("alice", "bob"):
            taken[user] += await take(backlog, user, 1)
    assert taken == {"alice": 300, "bob": 300}


async def test_what_is_not_added_takes_no_room() -> None:
    backlog = Backlog(dict, 20)
    assert all([await take(backlog, "alice", 10, added=False) for _ in range(5)])
    await backlog.make_room("alice", 10)
    assert not await take(backlog, "alice", 1), "nor is there room for what is on its way"


async def test_nobody_is_refused_by_an_old_count() -> None:
    waiting = {"alice": 10}
    backlog = Backlog(lambda: waiting, 20)
    await backlog.recount()
    assert not await take(backlog, "alice", 1)
    waiting = {}
    backlog._counted_at -= 10
    assert await take(backlog, "alice", 10)


async def test_who_sent_much_is_counted_again_for_other_gateways_take_as_well() -> None:
    waiting = Counter[str]()
    gateways = [Backlog(lambda: dict(waiting), 100_000) for _ in range(3)]
    for _ in range(200):
        for gateway in gateways:
            gateway._counted_at -= 10  # a second and more goes by
            if await take(gateway, "alice", 1000):
                waiting["alice"] += 1000
    assert 50_000 <= waiting["alice"] <= 50_000 + len(gateways) * RECOUNT_AFTER
    assert await take(gateways[0], "bob", 1000)


async def test_many_who_want_a_count_share_one() -> None:
    counts, go = [0], threading.Event()

    def count() -> dict[str, int]:
        counts[0] += 1
        assert go.wait(20)
        return {"alice": 10}

    backlog = Backlog(count, 20)
    asking = [asyncio.create_task(backlog.make_room("alice", 11)) for _ in range(20)]
    await asyncio.sleep(0.01)
    go.set()
    assert all(isinstance(answer, Refused) for answer in await asyncio.gather(*asking, return_exceptions=True))
    assert counts == [1]


async def test_a_count_that_fails_leaves_the_last_one_standing() -> None:
    def count() -> dict[str, int]:
        raise StoreUnavailable("away")

    backlog = Backlog(count, 20)
    assert await take(backlog, "alice", 10)
    with pytest.raises(StoreUnavailable):
        await backlog.recount()
    with pytest.raises(StoreUnavailable):
        await backlog.make_room("alice", 1)
    assert await take(backlog, "bob", 5)
    assert backlog._waiting("alice") == (10, 15)


async def test_over_http_one_who_fills_the_queue_is_refused_and_others_are_not(tmp_path: Path) -> None:
    async with opened(tmp_path, most_queued=40) as place:
        alice, bob = place.user("alice"), place.user("bob")
        batch = {"jobs": [SENTENCE] * 10}
        for status in (202, 202, 503):
            answer = await place.http.post("/v1/jobs:batch", json=batch, headers=alice)
            assert answer.status_code == status
        for path, body in (("/v1/jobs:batch", batch), ("/v1/jobs", SENTENCE), ("/v1/evaluations", WANTED)):
            refused(await place.http.post(path, json=body, headers=alice), "backlog_full")
        for path, body in (("/v1/jobs", SENTENCE), ("/v1/evaluations", WANTED)):
            assert (await place.http.post(path, json=body, headers=bob)).status_code == 202
        refused(await place.http.post("/v1/jobs:batch", json=batch, headers=bob), "backlog_full")
