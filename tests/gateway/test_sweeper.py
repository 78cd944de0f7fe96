"""The sweeper: one gateway at a time, wake-ups for what waits, and it survives a store that is away."""

from __future__ import annotations

import asyncio
import time

import pytest

from services.gateway.sharing.backlog import Backlog
from services.gateway.sweeper import Sweeper
from shared.errors import Refused, StoreUnavailable
from shared.jobs import Status
from shared.ports import Waiting
from shared.scheduling.lapsing import CLAIMS_WAIT_S
from tests.gateway.evaluating import evaluate, item, perform
from tests.gateway.place import RICH, Place, SilentWakeUps
from tests.memory_store import MemoryJobStore

pytestmark = pytest.mark.anyio


def sweeper(place: Place, name: str = "one", backlog: Backlog | None = None) -> Sweeper:
    return Sweeper(place.store, place.wake_ups, backlog or Backlog(place.store.queued_by_user), name, time.time)


async def test_it_sends_a_wake_up_for_whatever_waits(place: Place) -> None:
    await place.submit(score=False)
    await place.submit()
    await place.submit()
    place.speak()
    place.speak()
    place.wake_ups.woken.clear()
    sweeper(place).sweep()
    assert sorted(place.wake_ups.woken) == ["rich", "scorer", "tracker"]


async def test_it_sends_a_wake_up_for_a_study_that_is_due(place: Place) -> None:
    await evaluate(place, suite=item())
    perform(place, 1)
    place.track()
    place.wake_ups.woken.clear()
    sweeper(place).sweep()
    assert place.wake_ups.woken == ["judge"]


async def test_it_expires_what_waited_too_long(place: Place) -> None:
    job = await place.submit(ttl_s=1)
    late = Sweeper(place.store, place.wake_ups, Backlog(place.store.queued_by_user), "one", lambda: time.time() + 10)
    late.sweep()
    assert place.store.get([job["id"]])[job["id"]].status is Status.EXPIRED


async def test_another_gateway_leaves_the_broom_to_the_first(place: Place) -> None:
    await place.submit()
    place.wake_ups.woken.clear()
    sweeper(place, "one").sweep()
    sweeper(place, "two").sweep()
    assert place.wake_ups.woken == ["rich"]


async def test_every_gateway_counts_the_backlog(place: Place) -> None:
    await place.submit()
    await place.submit()
    sweeper(place, "one").sweep()
    backlog = Backlog(place.store.queued_by_user, limit=2)
    running = asyncio.create_task(sweeper(place, "two", backlog).run())
    await asyncio.sleep(0.2)
    running.cancel()
    with pytest.raises(Refused, match="2 jobs of yours are waiting"):
        await backlog.make_room("local", 1)


class FlakyStore(MemoryJobStore):
    """Away the first time, broken the second, well from then on."""

    asked = 0

    def waiting(self, now: float) -> Waiting:
        self.asked += 1
        if self.asked == 1:
            raise StoreUnavailable("away")
        if self.asked == 2:
            raise RuntimeError("a bug")
        return super().waiting(now)


async def test_it_goes_on_after_whatever_went_wrong() -> None:
    store = FlakyStore()
    eager = Sweeper(store, SilentWakeUps(store), Backlog(store.queued_by_user), "one", time.time, period_s=0.01)
    running = asyncio.create_task(eager.run())
    await asyncio.sleep(0.5)
    running.cancel()
    assert store.asked > 3


async def test_no_lease_is_judged_by_a_clock_that_was_just_set(place: Place) -> None:
    """Whoever lives has to renew first; wake-ups are sent all the same."""
    await place.submit()
    (held,) = place.store.claim("worker", [RICH.pin], [], 15.0, time.time())
    await place.submit()
    place.wake_ups.woken.clear()
    settled = False

    def ahead() -> float:
        return time.time() + 60

    ahead_of_all = Sweeper(
        place.store, place.wake_ups, Backlog(place.store.queued_by_user), "one", ahead, settled=lambda: settled
    )
    ahead_of_all.sweep()
    assert place.store.get([held.id])[held.id].status is Status.STARTING
    assert place.wake_ups.woken == ["rich"]
    settled = True
    ahead_of_all.sweep()
    assert place.store.get([held.id])[held.id].status is Status.QUEUED


async def test_claims_that_wait_beside_an_idle_worker_are_told(place: Place) -> None:
    await place.submit(ttl_s=3600)

    def later() -> float:
        return time.time() + CLAIMS_WAIT_S + 1

    looking = Sweeper(place.store, place.wake_ups, Backlog(place.store.queued_by_user), "one", later)
    assert looking.claims() is None
    place.store.publish("idle", [RICH], later())
    looking.sweep()
    assert looking.claims() == "claims_waiting"
    place.store.claim("idle/0", [RICH.pin], [], 15.0, later())
    looking.sweep()
    assert looking.claims() is None
