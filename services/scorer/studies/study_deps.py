"""What a scorer process needs to work on studies, whether it computes or tracks them."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field

from shared.ports import Announcer, Blobs, JobStore, WakeUps
from shared.scheduling.lapsing import SCORER_LEASE_S
from shared.studies import StudyStore


@dataclass(kw_only=True)
class StudyDeps:
    """``holder``: the name under which this process holds leases. ``clock``: returns the seconds since 1970."""

    studies: StudyStore
    store: JobStore
    blobs: Blobs
    wake_ups: WakeUps
    announcer: Announcer
    holder: str
    lease_s: float = SCORER_LEASE_S
    clock: Callable[[], float] = time.time
    stopping: threading.Event = field(default_factory=threading.Event)
