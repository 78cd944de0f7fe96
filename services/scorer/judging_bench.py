"""What a scorer process computes and tracks studies with."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from services.scorer.judge import Judge
from services.scorer.parent_runs import ParentRuns
from services.scorer.runs import StudyTracker
from shared.ports import Announcer, Bells, Blobs, JobStore
from shared.slots import Slots
from shared.studies import StudyStore


@dataclass
class JudgingBench:
    """``judges``: one place, so that one study is computed at a time. ``trackers``: likewise, none without MLflow."""

    judges: Slots[Judge]
    trackers: Slots[StudyTracker] | None
    parents: ParentRuns | None
    studies: StudyStore
    store: JobStore
    blobs: Blobs
    bells: Bells
    announcer: Announcer
    holder: str
    pin_lock: Callable[[str, str], Mapping[str, Any] | None]
    """Name of a pin and SHA-256 of its lock -> the lock, where it is at hand."""
    lease_s: float = 30.0
    clock: Callable[[], float] = time.time
    stopping: threading.Event = field(default_factory=threading.Event)
