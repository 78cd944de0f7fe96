"""The sweeper: every few seconds, one gateway at a time frees what has expired and sends wake-ups for waiting work.

Owns the period and the budgets. Every gateway also counts the backlog here, whether it sweeps or not.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable

from services.gateway.sharing.backlog import Backlog
from shared.errors import StoreUnavailable
from shared.ports import SWEEPING, JobStore, Waiting, WakeUps

log = logging.getLogger("ringtrue.gateway")

PERIOD_S = 5.0
TRACKING_BUDGET_S = 24 * 3600.0
IDEMPOTENCY_S = 24 * 3600.0


class Sweeper:
    """The periodic task. ``name`` tells this gateway from the others that share the store.

    ``settled``: whether leases may be judged by the clock. After the clock was set they may not for a while: live
    holders must have time to renew them first."""

    def __init__(
        self,
        store: JobStore,
        wake_ups: WakeUps,
        backlog: Backlog,
        name: str,
        clock: Callable[[], float],
        period_s: float = PERIOD_S,
        *,
        settled: Callable[[], bool] = lambda: True,
    ) -> None:
        self._store = store
        self._wake_ups = wake_ups
        self._backlog = backlog
        self._name = name
        self._clock = clock
        self._period_s = period_s
        self._settled = settled
        self._unclaimed_s = 0.0
        # If the gateway that sweeps dies, another one takes over after this time.
        self._hold_s = 3 * period_s

    def claims(self) -> str | None:
        """A probe. Returns ``claims_waiting`` if the last turn found jobs that nobody claims although a worker is
        idle."""
        return "claims_waiting" if self._unclaimed_s else None

    async def run(self) -> None:
        """Sweep until canceled. An error is logged, and the next turn comes all the same."""
        while True:
            turn = asyncio.create_task(self._turn())
            await asyncio.wait([turn])
            match turn.exception():
                case None:
                    pass
                case StoreUnavailable() as error:
                    log.warning("sweep postponed: the store does not answer: %s", error)
                case error:
                    log.error("sweep failed", exc_info=error)
            await asyncio.sleep(self._period_s)

    async def _turn(self) -> None:
        await asyncio.to_thread(self.sweep)
        await self._backlog.recount()

    def sweep(self) -> Waiting:
        """Do one turn. Return what still waits after it. Blocks."""
        now = self._clock()
        # Only the gateway that holds the lease sweeps; the others just look at what waits.
        holding = self._store.hold(SWEEPING, self._name, now + self._hold_s, now)
        if holding and self._settled():
            swept = self._store.sweep(now, tracking_budget_s=TRACKING_BUDGET_S, idempotency_s=IDEMPOTENCY_S)
            if swept.any:
                log.info("swept: %s", swept)
        waiting = self._store.waiting(now)
        self._unclaimed_s = waiting.unclaimed_s
        if waiting.unclaimed_s:
            log.warning("jobs have waited for %.0f s although a worker is idle", waiting.unclaimed_s)
        # A wake-up may be lost between a commit and Redis. So they are sent again for all that waits.
        if holding:
            self._send(waiting)
        return waiting

    def _send(self, waiting: Waiting) -> None:
        for family, jobs in waiting.families.items():
            if jobs:
                self._wake_ups.wake_engine(family)
        if waiting.scoring:
            self._wake_ups.wake_scoring()
        if waiting.tracking:
            self._wake_ups.wake_tracking()
        if waiting.studies:
            self._wake_ups.wake_analysis()
