"""The sweeper: one gateway at a time, bells for what waits, and it survives a store that is away."""

from __future__ import annotations

import asyncio
import time

import pytest

from services.gateway.backlog import Backlog
from services.gateway.sweeper import Sweeper
from shared.errors import Refused, StoreUnavailable
from shared.jobs import Status
from shared.ports import Waiting
from shared.store.memory import MemoryJobStore
from tests.gateway.evaluating import evaluate, item, perform
from tests.gateway.place import Place, SilentBells

pytestmark = pytest.mark.anyio


def sweeper(place: Place, name: str = "one", backlog: Backlog | None = None) -> Sweeper:
    return Sweeper(place.store, place.bells, backlog or Backlog(), name, time.time)


async def test_it_rings_for_whatever_waits(place: Place) -> None:
    await place.submit(score=False)
    await place.submit()
    await place.submit()
    place.speak()
    place.speak()
    place.bells.rung.clear()
    sweeper(place).sweep()
    assert sorted(place.bells.rung) == ["rich", "scorer", "tracker"]


async def test_it_rings_for_a_study_that_is_due(place: Place) -> None:
    await evaluate(place, suite=item())
    perform(place, 1)
    place.track()
    place.bells.rung.clear()
    sweeper(place).sweep()
    assert place.bells.rung == ["judge"]


async def test_it_expires_what_waited_too_long(place: Place) -> None:
    job = await place.submit(ttl_s=1)
    late = Sweeper(place.store, place.bells, Backlog(), "one", lambda: time.time() + 10)
    late.sweep()
    assert place.store.get([job["id"]])[job["id"]].status is Status.EXPIRED


async def test_another_gateway_leaves_the_broom_to_the_first(place: Place) -> None:
    await place.submit()
    place.bells.rung.clear()
    sweeper(place, "one").sweep()
    sweeper(place, "two").sweep()
    assert place.bells.rung == ["rich"]


async def test_every_gateway_counts_the_backlog(place: Place) -> None:
    await place.submit()
    await place.submit()
    sweeper(place, "one").sweep()
    backlog = Backlog(limit=2)
    running = asyncio.create_task(sweeper(place, "two", backlog).run())
    await asyncio.sleep(0.2)
    running.cancel()
    with pytest.raises(Refused, match="2 jobs are waiting"):
        backlog.check(1)


class FlakyStore(MemoryJobStore):
    """Away the first time, broken the second, well from then on."""

    turns = 0

    def waiting(self, now: float) -> Waiting:
        self.turns += 1
        if self.turns == 1:
            raise StoreUnavailable("away")
        if self.turns == 2:
            raise RuntimeError("a bug")
        return super().waiting(now)


async def test_it_goes_on_after_whatever_went_wrong() -> None:
    store = FlakyStore()
    eager = Sweeper(store, SilentBells(store), Backlog(), "one", time.time, period_s=0.01)
    running = asyncio.create_task(eager.run())
    await asyncio.sleep(0.5)
    running.cancel()
    assert store.turns > 3
