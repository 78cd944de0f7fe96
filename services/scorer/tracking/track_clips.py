"""The flow that logs finished jobs as runs: the sixth and last stop of a job's path.

Owns the calls to the store while runs are logged. Knows the tracking server as a `Tracker`, and pictures as something
that is drawn or not. A server that is not available delays this facet only: the job is postponed, and the sweeper
decides for how long.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass, field
from enum import Enum, auto
from typing import Any, Protocol

from services.scorer.backoff import MAX_BACKOFF_S, backoff_s
from services.scorer.tracking.parent_runs import ParentRuns
from services.scorer.tracking.run_record import feeling, picture_title, run_record
from services.scorer.tracking.runs import RunRecord, Tracker, TrackerRefused, TrackerUnavailable
from services.scorer.tracking.surplus_runs import LOOKED_BACK_S
from shared.audio import Audio, provenance, wav_file
from shared.catalog import Manifest
from shared.errors import RingtrueError, StorageUnavailable, StoreUnavailable
from shared.jobs import Job, Piece
from shared.ports import Announcer, Blobs, FacetName, JobStore, WakeUps
from shared.scheduling.lapsing import SCORER_LEASE_S
from shared.scheduling.leases import kept
from shared.scheduling.slots import Slots
from shared.studies import Home, StudyStore

log = logging.getLogger(__name__)


class AudioMissing(RingtrueError):
    """The store says that a job has audio, but its blob is gone. Waiting does not bring it back."""

    code = "audio_missing"


class Draws(Protocol):
    """Draws the picture of a clip, or returns None."""

    def draw(self, audio: Audio, *, title: str, pieces: Sequence[Piece] = ()) -> bytes | None: ...


class TrackOutcome(Enum):
    """The outcome of one claimed job."""

    LOGGED = auto()  # its run is complete and recorded
    LOST = auto()  # complete, but recorded by another holder
    POSTPONED = auto()  # this job failed; the next may succeed
    AWAY = auto()  # the server or the store does not answer, and would not for the next job either


@dataclass
class ClipTrackingDeps:
    """What runs of clips are logged with. ``trackers`` has one place, so that one thread at a time claims jobs.

    ``parents``: the parent runs of clips of evaluations. ``wake_ups``: wakes analysis when such a clip is logged, if
    ``studies`` has something due.
    ``in_flight``: most runs that are logged at once.
    """

    trackers: Slots[Tracker]
    store: JobStore
    blobs: Blobs
    pictures: Draws
    holder: str
    wake_ups: WakeUps | None = None
    studies: StudyStore | None = None
    announcer: Announcer | None = None
    parents: ParentRuns | None = None
    in_flight: int = 8
    lease_s: float = SCORER_LEASE_S
    clock: Callable[[], float] = time.time
    stopping: threading.Event = field(default_factory=threading.Event)


def run(deps: ClipTrackingDeps) -> None:
    """Answer a wake-up: log what is due, unless another thread does so already."""

    def work(tracker: Tracker) -> None:
        log_due(deps, tracker)

    deps.trackers.work(work)


def log_due(deps: ClipTrackingDeps, tracker: Tracker) -> int:
    """Log what is due, up to ``in_flight`` runs at once, until nothing is. Return how many runs were recorded.

    Ends early once the server is away or ``stopping`` is set; jobs that were claimed are then logged or postponed.
    """
    flow = Flow(deps, tracker)
    recorded, away = 0, False
    pending: set[Future[TrackOutcome]] = set()
    with ThreadPoolExecutor(deps.in_flight, thread_name_prefix="track") as threads:
        while True:
            if not away and not deps.stopping.is_set():
                pending |= {threads.submit(flow.log, job) for job in flow.claim(deps.in_flight - len(pending))}
            if not pending:
                return recorded
            done, pending = wait(pending, return_when=FIRST_COMPLETED)
            outcomes = [future.result() for future in done]
            recorded += outcomes.count(TrackOutcome.LOGGED)
            away = away or TrackOutcome.AWAY in outcomes


@dataclass
class Flow:
    """What the threads of one call share."""

    deps: ClipTrackingDeps
    tracker: Tracker
    _manifests: Mapping[str, Manifest] = field(default_factory=dict)
    _homes: dict[str, Home] = field(default_factory=dict)

    def claim(self, limit: int) -> list[Job]:
        """Claim up to ``limit`` jobs whose tracking is due, under a lease."""
        claimed = self.deps.store.claim_facet(
            FacetName.TRACKING, self.deps.holder, self.deps.lease_s, self.deps.clock(), limit
        )
        if any(job.pin not in self._manifests for job in claimed):
            self._manifests = {manifest.pin: manifest for manifest, _ in self.deps.store.manifests()}
        if self.deps.parents is not None:
            self._homes |= self.deps.parents.homes([job.id for job in claimed])
        return claimed

    def log(self, job: Job) -> TrackOutcome:
        """Log one claimed job, keeping its lease meanwhile, or postpone it."""
        attempt = job.tracking.attempt

        def beat() -> bool:
            return self.deps.store.beat_facet(FacetName.TRACKING, job.id, attempt, self.deps.lease_s, self.deps.clock())

        try:
            with kept(beat, self.deps.lease_s / 3):
                return self._logged(job, beat)
        except TrackerUnavailable as error:
            log.log(error.level, "logging of %s is postponed: %s", job.id, error)
            return self._postponed(job, backoff_s(attempt), TrackOutcome.AWAY)
        except TrackerRefused as error:
            log.error("MLflow refused %s: %s", job.id, error)
            return self._postponed(job, MAX_BACKOFF_S, TrackOutcome.POSTPONED)
        except StorageUnavailable as error:
            log.warning("logging of %s is postponed: %s", job.id, error)
            return self._postponed(job, backoff_s(attempt), TrackOutcome.POSTPONED)
        except StoreUnavailable as error:
            log.warning("the run of %s will be recorded when its lease runs out: %s", job.id, error)
            return TrackOutcome.AWAY
        except Exception:  # the one catch-all: an unexpected error in one job must not stop the others
            log.exception("%s could not be logged", job.id)
            return self._postponed(job, MAX_BACKOFF_S, TrackOutcome.POSTPONED)

    def _logged(self, job: Job, beat: Callable[[], bool]) -> TrackOutcome:
        environment = self._environment(job)
        manifest = self._manifests.get(job.pin)
        home = self._homes.get(job.id)
        item = self.deps.parents.item(home) if home is not None and self.deps.parents is not None else None
        try:
            audio, problem = self._audio(job), None
        except AudioMissing as missing:
            log.error("%s: %s", job.id, missing)
            audio, problem = None, f"{missing.code}: {missing}"
        record = run_record(job, environment, manifest, item, problem=problem, limits=self.tracker.limits)
        files = self._files(job, record, audio)
        logged = self.tracker.log(record, files, still_sole=beat if self._nobody_tried(job) else None)
        # The write names the attempt: if the lease was lost meanwhile, the other holder records the run.
        if not self.deps.store.finish_tracking(job.id, job.tracking.attempt, logged.run_id, logged.url):
            log.warning("%s was also logged by another scorer", job.id)
            return TrackOutcome.LOST
        if self.deps.announcer is not None:
            self.deps.announcer.announce(job.id, "tracked")
        if home is not None:
            self._wake_analysis()
        return TrackOutcome.LOGGED

    def _nobody_tried(self, job: Job) -> bool:
        """Return whether this is the first attempt.

        A database that was restored from a backup has forgotten attempts. The runs of those are looked for if the job
        is old; the surplus runs of newer jobs are found by `SurplusRuns`.
        """
        return job.tracking.attempt == 1 and job.created_at > self.deps.clock() - LOOKED_BACK_S / 2

    def _wake_analysis(self) -> None:
        deps = self.deps
        if deps.wake_ups is not None and (deps.studies is None or deps.studies.any_due(deps.clock())):
            deps.wake_ups.wake_analysis()

    def _postponed(self, job: Job, delay_s: float, outcome: TrackOutcome) -> TrackOutcome:
        try:
            self.deps.store.postpone_facet(
                FacetName.TRACKING, job.id, job.tracking.attempt, self.deps.clock() + delay_s
            )
        except StoreUnavailable as error:
            log.warning("%s will be tried again when its lease runs out: %s", job.id, error)
            return TrackOutcome.AWAY
        return outcome

    def _environment(self, job: Job) -> Mapping[str, Any] | None:
        return None if job.environment is None else self.deps.store.environment(job.environment)

    def _audio(self, job: Job) -> Audio | None:
        if job.audio is None:
            return None
        try:
            return Audio(self.deps.blobs.get(job.audio.pcm_sha256), job.audio.sample_rate)
        except KeyError as error:
            raise AudioMissing(f"blob {job.audio.pcm_sha256} is missing") from error

    def _files(self, job: Job, record: RunRecord, audio: Audio | None) -> dict[str, bytes]:
        """Return the artifacts of a run. The WAV is byte for byte the file that the gateway serves."""
        files = {"text.txt": job.input.as_written.encode()}
        if audio is None or job.audio is None:
            return files
        info = provenance(job.id, job.pin, job.lock_sha256)
        files[f"audio/{feeling(job)}.wav"] = wav_file(audio, info)
        picture = self.deps.pictures.draw(audio, title=picture_title(record), pieces=job.audio.pieces)
        if picture is not None:
            files["picture.png"] = picture
        return files
