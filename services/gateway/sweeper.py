"""The sweeper: every few seconds, one gateway at a time puts right what ran out and rings for what waits.

Owns the period and the budgets. Every gateway also counts the backlog here, whether it sweeps or not.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable

from services.gateway.backlog import Backlog
from shared.errors import StoreUnavailable
from shared.ports import Bells, JobStore, Waiting

log = logging.getLogger("ringtrue.gateway")

PERIOD_S = 5.0
TRACKING_BUDGET_S = 24 * 3600.0
IDEMPOTENCY_S = 24 * 3600.0


class Sweeper:
    """``name`` tells this gateway from the others that share the store."""

    def __init__(
        self,
        store: JobStore,
        bells: Bells,
        backlog: Backlog,
        name: str,
        clock: Callable[[], float],
        period_s: float = PERIOD_S,
    ) -> None:
        self._store = store
        self._bells = bells
        self._backlog = backlog
        self._name = name
        self._clock = clock
        self._period_s = period_s
        # A gateway that died leaves the broom to another one after this time.
        self._hold_s = 3 * period_s

    async def run(self) -> None:
        """Sweep until canceled. What goes wrong is logged; the next turn comes all the same."""
        while True:
            turn = asyncio.ensure_future(asyncio.to_thread(self.sweep))
            await asyncio.wait([turn])
            match turn.exception():
                case None:
                    self._backlog.counted(sum(turn.result().families.values()))
                case StoreUnavailable() as error:
                    log.warning("sweep put off, the store does not answer: %s", error)
                case error:
                    log.error("sweep failed", exc_info=error)
            await asyncio.sleep(self._period_s)

    def sweep(self) -> Waiting:
        """One turn: what waits after it. Blocks."""
        now = self._clock()
        holding = self._store.hold("sweeper", self._name, now + self._hold_s, now)
        if holding:
            swept = self._store.sweep(now, tracking_budget_s=TRACKING_BUDGET_S, idempotency_s=IDEMPOTENCY_S)
            if swept.any:
                log.info("swept: %s", swept)
        waiting = self._store.waiting(now)
        if holding:
            self._ring(waiting)
        return waiting

    def _ring(self, waiting: Waiting) -> None:
        for family, jobs in waiting.families.items():
            if jobs:
                self._bells.ring_engine(family)
        if waiting.scoring:
            self._bells.ring_scorer()
        if waiting.tracking:
            self._bells.ring_tracker()
        if waiting.studies:
            self._bells.ring_judge()
