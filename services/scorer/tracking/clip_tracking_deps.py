"""What a scorer process logs runs of clips with, and how it answers a wake-up: one logger, with many runs in flight."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field

from services.scorer.tracking import track_clips
from services.scorer.tracking.parent_runs import ParentRuns
from services.scorer.tracking.runs import Tracker
from services.scorer.tracking.track_clips import Draws
from shared.ports import Announcer, Blobs, JobStore, WakeUps
from shared.scheduling.slots import Slots


@dataclass
class ClipTrackingDeps:
    """What runs of clips are logged with. ``slots`` has one place, for the one tracker."""

    slots: Slots[Tracker]
    store: JobStore
    blobs: Blobs
    pictures: Draws
    wake_ups: WakeUps
    announcer: Announcer
    holder: str
    parents: ParentRuns | None = None
    in_flight: int = 8
    lease_s: float = 60.0
    clock: Callable[[], float] = time.time
    stopping: threading.Event = field(default_factory=threading.Event)


def answer(deps: ClipTrackingDeps) -> None:
    """Answer a wake-up: log what is due, unless another thread does so already."""
    deps.slots.work(lambda tracker: _log(deps, tracker))


def _log(deps: ClipTrackingDeps, tracker: Tracker) -> None:
    track_clips.run(
        deps.store,
        deps.blobs,
        tracker,
        deps.pictures,
        deps.holder,
        deps.clock,
        deps.in_flight,
        announcer=deps.announcer,
        wake_ups=deps.wake_ups,
        parents=deps.parents,
        stopping=deps.stopping,
        lease_s=deps.lease_s,
    )
