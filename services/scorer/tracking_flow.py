"""Log finished jobs as runs: the sixth and last stop of the path. Owns what is said to the store while runs are logged.

Knows the tracking server as a `Tracker` and pictures as something that is drawn or not. A server that is away delays
this facet and nothing else: the job is postponed, and how long that may go on is the sweeper's business.
"""

from __future__ import annotations

import logging
import random
import threading
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass, field
from enum import Enum, auto
from typing import Any, Protocol

from services.scorer.parent_runs import ParentRuns
from services.scorer.run_record import feeling, picture_title, run_record
from services.scorer.runs import RunRecord, Tracker, TrackerRefused, TrackerUnavailable
from shared.audio import Audio, provenance, wav_file
from shared.catalog import Manifest
from shared.errors import RingtrueError, StoreUnavailable
from shared.jobs import Job, Piece
from shared.leases import kept
from shared.ports import Announcer, Bells, Blobs, FacetName, JobStore
from shared.studies import Home

MAX_BACKOFF_S = 300.0

log = logging.getLogger(__name__)


class AudioMissing(RingtrueError):
    """The store says that a job has audio, and its blob is gone. Waiting does not bring it back."""

    code = "audio_missing"


class Draws(Protocol):
    """Draws the picture of a clip, or does not."""

    def draw(self, audio: Audio, *, title: str, pieces: Sequence[Piece] = ()) -> bytes | None: ...


class Outcome(Enum):
    """What became of one claimed job."""

    LOGGED = auto()  # its run is complete and recorded
    LOST = auto()  # complete, and recorded by somebody else
    POSTPONED = auto()  # something is wrong with this one
    AWAY = auto()  # the server or the store does not answer, and would not for the next one either


def run(
    store: JobStore,
    blobs: Blobs,
    tracker: Tracker,
    pictures: Draws,
    holder: str,
    clock: Callable[[], float],
    in_flight: int = 8,
    *,
    announcer: Announcer | None = None,
    bells: Bells | None = None,
    parents: ParentRuns | None = None,
    stopping: threading.Event | None = None,
    lease_s: float = 60.0,
) -> int:
    """Log what is due, up to ``in_flight`` runs at once, until nothing is; how many runs were recorded.

    ``parents``: the runs that clips of evaluations are logged below. ``bells``: who waits for such clips.
    Ends early, with what it holds done or postponed, once the server is away or ``stopping`` is set."""
    flow = Flow(store, blobs, tracker, pictures, holder, clock, lease_s, announcer, bells, parents)
    recorded, away = 0, False
    pending: set[Future[Outcome]] = set()
    with ThreadPoolExecutor(in_flight, thread_name_prefix="track") as threads:
        while True:
            if not away and not (stopping and stopping.is_set()):
                pending |= {threads.submit(flow.log, job) for job in flow.claim(in_flight - len(pending))}
            if not pending:
                return recorded
            done, pending = wait(pending, return_when=FIRST_COMPLETED)
            outcomes = [future.result() for future in done]
            recorded += outcomes.count(Outcome.LOGGED)
            away = away or Outcome.AWAY in outcomes


def backoff_s(attempt: int) -> float:
    """Seconds to wait after the ``attempt``-th try: doubling from 2 s to 5 min, of which a random half to all."""
    longest = min(MAX_BACKOFF_S, 2.0 ** min(attempt, 16))
    return longest * random.uniform(0.5, 1.0)  # noqa: S311 - spreads retries out; nothing secret


@dataclass
class Flow:
    """What the threads of one call share."""

    store: JobStore
    blobs: Blobs
    tracker: Tracker
    pictures: Draws
    holder: str
    clock: Callable[[], float]
    lease_s: float
    announcer: Announcer | None = None
    bells: Bells | None = None
    parents: ParentRuns | None = None
    _manifests: Mapping[str, Manifest] = field(default_factory=dict)
    _homes: dict[str, Home] = field(default_factory=dict)

    def claim(self, limit: int) -> list[Job]:
        """Up to ``limit`` jobs whose tracking is due, under a lease."""
        claimed = self.store.claim_facet(FacetName.TRACKING, self.holder, self.lease_s, self.clock(), limit)
        if any(job.pin not in self._manifests for job in claimed):
            self._manifests = {manifest.pin: manifest for manifest, _ in self.store.manifests()}
        if self.parents is not None:
            self._homes |= self.parents.homes([job.id for job in claimed])
        return claimed

    def log(self, job: Job) -> Outcome:
        """Log one claimed job, keeping its lease meanwhile, or postpone it."""
        attempt = job.tracking.attempt

        def beat() -> bool:
            return self.store.beat_facet(FacetName.TRACKING, job.id, attempt, self.lease_s, self.clock())

        try:
            with kept(beat, self.lease_s / 3):
                return self._logged(job)
        except TrackerUnavailable as error:
            log.warning("%s is logged later: %s", job.id, error)
            return self._postponed(job, backoff_s(attempt), Outcome.AWAY)
        except TrackerRefused as error:
            log.error("%s was refused: %s", job.id, error)
            return self._postponed(job, MAX_BACKOFF_S, Outcome.POSTPONED)
        except StoreUnavailable as error:
            log.warning("%s is recorded once its lease has run out: %s", job.id, error)
            return Outcome.AWAY
        except Exception:  # the one seam: a job that nobody foresaw must not stop the others
            log.exception("%s could not be logged", job.id)
            return self._postponed(job, MAX_BACKOFF_S, Outcome.POSTPONED)

    def _logged(self, job: Job) -> Outcome:
        environment = self._environment(job)
        manifest = self._manifests.get(job.pin)
        home = self._homes.get(job.id)
        item = self.parents.item(home) if home is not None and self.parents is not None else None
        try:
            audio, problem = self._audio(job), None
        except AudioMissing as missing:
            log.error("%s: %s", job.id, missing)
            audio, problem = None, f"{missing.code}: {missing}"
        record = run_record(job, environment, manifest, item, problem=problem, limits=self.tracker.limits)
        logged = self.tracker.log(record, self._files(job, record, audio))
        if not self.store.finish_tracking(job.id, job.tracking.attempt, logged.run_id, logged.url):
            log.warning("%s was logged by somebody else as well", job.id)
            return Outcome.LOST
        if self.announcer is not None:
            self.announcer.announce(job.id, "tracked")
        if self.bells is not None and home is not None:
            self.bells.ring_judge()
        return Outcome.LOGGED

    def _postponed(self, job: Job, delay_s: float, outcome: Outcome) -> Outcome:
        try:
            self.store.postpone_facet(FacetName.TRACKING, job.id, job.tracking.attempt, self.clock() + delay_s)
        except StoreUnavailable as error:
            log.warning("%s is tried again once its lease has run out: %s", job.id, error)
            return Outcome.AWAY
        return outcome

    def _environment(self, job: Job) -> Mapping[str, Any] | None:
        return None if job.environment is None else self.store.environment(job.environment)

    def _audio(self, job: Job) -> Audio | None:
        if job.audio is None:
            return None
        try:
            return Audio(self.blobs.get(job.audio.pcm_sha256), job.audio.sample_rate)
        except KeyError as error:
            raise AudioMissing(f"blob {job.audio.pcm_sha256} is gone") from error

    def _files(self, job: Job, record: RunRecord, audio: Audio | None) -> dict[str, bytes]:
        """The artifacts of a run. The WAV is the file that the gateway serves, byte for byte."""
        files = {"text.txt": job.input.text.encode()}
        if audio is None or job.audio is None:
            return files
        info = provenance(job.id, job.pin, job.lock_sha256)
        files[f"audio/{feeling(job)}.wav"] = wav_file(audio, info)
        picture = self.pictures.draw(audio, title=picture_title(record), pieces=job.audio.pieces)
        if picture is not None:
            files["picture.png"] = picture
        return files
