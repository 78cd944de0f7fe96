"""What a scorer process logs runs with, and how a bell is answered: one logger at a time, with many runs in flight."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field

from services.scorer import tracking_flow
from services.scorer.parent_runs import ParentRuns
from services.scorer.runs import Tracker
from services.scorer.tracking_flow import Draws
from shared.ports import Announcer, Bells, Blobs, JobStore
from shared.slots import Slots


@dataclass
class TrackingBench:
    """See `answer`. ``slots``: one place, for the one tracker."""

    slots: Slots[Tracker]
    store: JobStore
    blobs: Blobs
    pictures: Draws
    bells: Bells
    announcer: Announcer
    holder: str
    parents: ParentRuns | None = None
    in_flight: int = 8
    lease_s: float = 60.0
    clock: Callable[[], float] = time.time
    stopping: threading.Event = field(default_factory=threading.Event)


def answer(bench: TrackingBench) -> None:
    """Answer a bell: log what is due, unless that is being done already."""
    bench.slots.work(lambda tracker: _log(bench, tracker))


def _log(bench: TrackingBench, tracker: Tracker) -> None:
    tracking_flow.run(
        bench.store,
        bench.blobs,
        tracker,
        bench.pictures,
        bench.holder,
        bench.clock,
        bench.in_flight,
        announcer=bench.announcer,
        bells=bench.bells,
        parents=bench.parents,
        stopping=bench.stopping,
        lease_s=bench.lease_s,
    )
