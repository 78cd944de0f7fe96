"""Whether this worker should take jobs just now.

Owns when it pauses and for how long. Some failures are not the jobs' fault: no room for audio, a failing disk, no more
processes, an engine environment in which nothing works. Then the worker pauses, tries again now and then, and resumes
by itself. Knows no store: synthesis.py decides what happens to a job.
"""

from __future__ import annotations

import logging
import threading
import time
from collections import OrderedDict
from collections.abc import Callable

from shared.errors import FailureCode, JobFailure, StorageUnavailable
from shared.jobs import Job
from shared.ports import BlobRoom

LOOK_EVERY_S = 1.0
"""Seconds. The room for audio is checked no more often than this."""
GO_ON_AT = 2.0
"""A worker that paused for lack of room resumes once there is this many times the reserve."""
FIRST_PAUSE_S, LONGEST_PAUSE_S = 1.0, 10.0
"""Seconds between two tries. The pause is kept short: trouble may end by itself, and a try only delays one job."""
REHEARSED_BYTES = 16 << 20
"""Bytes. After a clip found no room, a test file of the same size, up to this one, is written: a quota shows nowhere
else."""
IN_A_ROW, OF_PINS = 5, 2
"""If this many different jobs in a row fail, of this many pins, the fault is more likely this worker's than theirs."""
_REMEMBERED = 10_000

MAY_BE_OURS = frozenset(
    {
        FailureCode.ENGINE_ERROR,
        FailureCode.ENGINE_CRASHED,
        FailureCode.ENGINE_TIMEOUT,
        FailureCode.ENGINE_RETURNED_NOTHING,
        FailureCode.AUDIO_INVALID,
        FailureCode.OUT_OF_MEMORY,
        FailureCode.GPU_OUT_OF_MEMORY,
        FailureCode.MODEL_NOT_PULLED,
        FailureCode.MODEL_LOCK_MISMATCH,
    }
)
"""Failures that another worker may not have, since it has another GPU, another environment or other files."""

OF_A_SICK_WORKER = MAY_BE_OURS - {
    FailureCode.OUT_OF_MEMORY,
    FailureCode.GPU_OUT_OF_MEMORY,
    FailureCode.MODEL_NOT_PULLED,
    FailureCode.MODEL_LOCK_MISMATCH,
}
"""`MAY_BE_OURS` without the failures that say nothing about other pins."""

log = logging.getLogger(__name__)


class Fitness:
    """Whether a worker should take jobs. Shared by its slots; any thread may call it."""

    def __init__(self, storage: BlobRoom | None = None, now: Callable[[], float] = time.monotonic) -> None:
        """``storage``: where audio is kept. Without it, only failures are known."""
        self._storage = storage
        self._now = now
        self._lock = threading.Lock()
        self._looked_at = float("-inf")
        self._short = False
        self._rehearse = 0
        self._pause_s = FIRST_PAUSE_S
        self._not_before = float("-inf")
        self._standing_back: str | None = None
        self._in_a_row: dict[str, str] = {}
        self._spared: OrderedDict[str, None] = OrderedDict()

    def may_claim(self) -> bool:
        """Return whether a job may be taken now. While the worker pauses, one job may be, each time that a pause is
        over."""
        with self._lock:
            if self._now() < self._not_before or self._has_no_room():
                return False
            if self._standing_back is None:
                return True
            if self._rehearse and self._storage is not None and not self._rehearsed(self._storage):
                return False
            self._not_before = self._now() + self._pause_s  # stops the other slots; `succeeded` ends the pause
            return True

    def hindered(self, error: Exception) -> None:
        """A job could not be done because of this worker's own trouble: pause."""
        with self._lock:
            self._rehearse = max(self._rehearse, min(getattr(error, "size", 0), REHEARSED_BYTES))
            self._stand_back(str(error))

    def failed(self, job: Job, failure: JobFailure) -> bool:
        """Note that a job failed. Return True if it should be handed back, since the fault seems to be this worker's.
        That happens once per job."""
        if failure.code not in OF_A_SICK_WORKER:
            return False
        with self._lock:
            self._in_a_row[job.id] = job.pin
            if len(self._in_a_row) < IN_A_ROW or len(set(self._in_a_row.values())) < OF_PINS:
                return False
            self._stand_back(f"{len(self._in_a_row)} jobs in a row failed, the last with {failure.code.value}")
            spare = job.id not in self._spared
            self._spared[job.id] = None
            while len(self._spared) > _REMEMBERED:
                self._spared.popitem(last=False)
            return spare

    def succeeded(self) -> None:
        """A job was done and its audio kept: end the pause."""
        if not self._in_a_row and self._standing_back is None:
            return  # the usual case
        with self._lock:
            if self._standing_back is not None:
                log.warning("taking jobs again; the worker had paused because: %s", self._standing_back)
            self._standing_back = None
            self._in_a_row.clear()
            self._rehearse, self._pause_s, self._not_before = 0, FIRST_PAUSE_S, float("-inf")

    def _stand_back(self, why: str) -> None:
        if self._standing_back != why:
            log.error("taking no jobs for %.0f s: %s", self._pause_s, why)
        self._standing_back = why
        self._not_before = self._now() + self._pause_s
        self._pause_s = min(2 * self._pause_s, LONGEST_PAUSE_S)

    def _has_no_room(self) -> bool:
        if self._storage is None or self._now() - self._looked_at < LOOK_EVERY_S:
            return self._short
        self._looked_at = self._now()
        try:
            why = self._storage.trouble(times=GO_ON_AT if self._short else 1.0)
        except StorageUnavailable as error:
            why = str(error)
        if (why is not None) != self._short:
            log.error("taking no jobs: %s", why) if why else log.warning("taking jobs again: there is room for audio")
        self._short = why is not None
        return self._short

    def _rehearsed(self, storage: BlobRoom) -> bool:
        """Return whether a test file of the size that found no room can be written now."""
        try:
            storage.rehearse(self._rehearse)
        except StorageUnavailable as error:
            self._stand_back(str(error))
            return False
        return True
