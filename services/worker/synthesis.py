"""The worker's flow: it claims jobs, has them spoken and records how each ended.

Owns what is written to the store while jobs are spoken. Knows engines only as hosts that speak, and the store, blobs
and wake-ups only as ports.
"""

from __future__ import annotations

import logging
import threading
import time
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import TypeVar

from services.worker import batches, speaking
from services.worker.batches import JobBatch
from services.worker.environment_record import EnvironmentRecord
from services.worker.fitness import MAY_BE_OURS, Fitness
from services.worker.lease import HandBack, JobCanceled, JobLost, Leases
from services.worker.loader import Loader
from services.worker.recordings import Recordings
from services.worker.speaking import RunningClip, SpokenTake
from shared.catalog import PinState
from shared.controls import CONTROLS
from shared.errors import FailureCode, JobFailure, StoreUnavailable
from shared.files.machine_trouble import of_the_machine
from shared.jobs import Job, JobError, Spoken
from shared.ports import Announcer, Blobs, JobStore, Result, WakeUps
from shared.scheduling.fairness import process_of
from shared.scheduling.lapsing import WORKER_LEASE_S
from shared.scheduling.slots import Slots

Written = TypeVar("Written")

INSIST_EVERY_S = 0.5
TURN_S = 2.0
"""Seconds. A slot that has worked for this long gives its thread back to Celery before it takes another job."""

log = logging.getLogger(__name__)


@dataclass
class Slot:
    """One place to speak in, used by one thread at a time. All slots share the loader and its hosts."""

    name: str
    """``PROCESS/NUMBER``."""
    loader: Loader

    @property
    def process(self) -> str:
        """The name under which the worker process publishes its heartbeat."""
        return process_of(self.name)


@dataclass
class SynthesisDeps:
    """What the flow of a worker process works with."""

    slots: Slots[Slot]
    store: JobStore
    blobs: Blobs
    wake_ups: WakeUps
    announcer: Announcer
    environment_record: EnvironmentRecord
    families: Sequence[str]
    recordings: Recordings
    fitness: Fitness = field(default_factory=Fitness)
    lease_s: float = WORKER_LEASE_S
    grace_s: float = 10.0
    """Seconds that a job may go on after the worker was told to stop. Then it is handed back."""
    clock: Callable[[], float] = time.time
    stopping: threading.Event = field(default_factory=threading.Event)
    stop_by: float | None = None

    def stop(self) -> None:
        """Take no more jobs, and end the current ones within the grace period."""
        self.stop_by = time.monotonic() + self.grace_s
        self.stopping.set()

    @property
    def overdue(self) -> bool:
        """True once the worker was told to stop and the grace period is over."""
        return self.stop_by is not None and time.monotonic() > self.stop_by


def run(deps: SynthesisDeps) -> None:
    """Answer a wake-up: speak the queued jobs in a free slot. Return at once if all slots are taken."""
    deps.slots.work(lambda slot: _work(deps, slot))


def _work(deps: SynthesisDeps, slot: Slot) -> None:
    until = time.monotonic() + TURN_S
    woken = False
    while not deps.stopping.is_set() and deps.fitness.may_claim():
        if time.monotonic() > until:
            _wake_all(deps)
            return
        loader = slot.loader
        at_most = {manifest.pin: manifest.max_batch for manifest in loader.served_pins.ready()}
        claimed = deps.store.claim(slot.name, list(at_most), loader.loaded(), deps.lease_s, deps.clock(), at_most)
        if not claimed:
            _refuse(deps, slot)
            return
        if not woken:  # there may be more jobs: another slot or worker can claim them while these are spoken
            _wake_all(deps)
            woken = True
        speak(deps, slot, claimed)


def _refuse(deps: SynthesisDeps, slot: Slot) -> None:
    """Fail the jobs for pins that this worker refuses and that, according to the store, no other worker serves."""
    if not (refused := slot.loader.served_pins.refused()):
        return
    pins = [m.pin for m, _ in deps.store.manifests() if m.pin in refused and m.state is PinState.REFUSED]
    while pins and (claimed := deps.store.claim(slot.name, pins, [], deps.lease_s, deps.clock())):
        for job in claimed:
            _failed(deps, slot, job, refused[job.pin])


def _wake_all(deps: SynthesisDeps) -> None:
    for family in deps.families:
        deps.wake_ups.wake_engine(family)


def speak(deps: SynthesisDeps, slot: Slot, jobs: Sequence[Job]) -> None:
    """Speak jobs of one pin that were claimed together, and record how each ended. Nothing is recorded for a job whose
    lease was lost."""
    leases = Leases(deps, jobs)
    for job in jobs:
        deps.announcer.announce(job.id, "starting")
    manifest = slot.loader.served_pins.manifest(jobs[0].pin)
    assert manifest is not None, "it was claimed for"
    todo = deque(batches.gathered(jobs, manifest.max_batch, manifest.max_piece_chars))
    try:
        while todo:
            batch = _still_wanted(deps, todo.popleft(), leases)
            if batch is not None:
                todo.extendleft(reversed(_tried(deps, slot, batch, leases)))
    except HandBack:
        _handed_back(deps, leases.open(jobs))
    except Exception as error:
        if not (of_the_machine(error) or isinstance(error, StoreUnavailable)):
            raise
        if of_the_machine(error):
            deps.fitness.hindered(error)
        log.warning("%s: jobs handed back to the queue: %s", jobs[0].pin, error)
        _handed_back(deps, leases.open(jobs))


def _handed_back(deps: SynthesisDeps, jobs: Sequence[Job]) -> None:
    for job in jobs:
        _insisting(deps, lambda job=job: deps.store.hand_back(job.id, job.attempt))  # type: ignore[misc]


def _insisting(deps: SynthesisDeps, write: Callable[[], Written]) -> Written:
    """Repeat ``write`` while the store is unavailable, for at most ``lease_s``, so that a database restart costs no
    attempt. Each write names the attempt, so writing twice changes nothing. Raises `StoreUnavailable` after that time,
    or once the worker is overdue."""
    until = time.monotonic() + deps.lease_s
    while True:
        try:
            return write()
        except StoreUnavailable as error:
            if deps.overdue or time.monotonic() > until:
                raise
            log.warning("trying again: %s", error)
            time.sleep(INSIST_EVERY_S)


def _still_wanted(deps: SynthesisDeps, batch: JobBatch, leases: Leases) -> JobBatch | None:
    over = [job for job in batch.jobs if leases.over(job)]
    for job in over:
        _over(deps, job, leases)
    return batches.without(batch, over)


def _tried(deps: SynthesisDeps, slot: Slot, batch: JobBatch, leases: Leases) -> Sequence[JobBatch]:
    """Speak one batch. Return the batches to try instead if it failed."""
    try:
        _speak(deps, slot, batch, leases)
    except (JobLost, JobCanceled):
        for job in batch.jobs:
            _over(deps, job, leases)
    except JobFailure as failure:
        if instead := batches.smaller(batch, failure):
            log.info(
                "a batch of %d jobs of %s failed and is tried in smaller parts: %s: %s",
                len(batch.jobs),
                batch.jobs[0].pin,
                failure.code.value,
                failure,
            )
            return instead
        leases.settle(batch.jobs[0])
        _failed(deps, slot, batch.jobs[0], failure)
    except (HandBack, StoreUnavailable):
        raise
    except Exception as error:  # the only catch-all: whatever went wrong, no job may stay held
        if of_the_machine(error):
            raise
        log.exception("%s failed with an unexpected error", ", ".join(job.id for job in batch.jobs))
        why = JobFailure(FailureCode.ENGINE_ERROR, f"internal error: {error!r}", final=False)
        for job in leases.open(batch.jobs):
            leases.settle(job)
            _failed(deps, slot, job, why)
    return ()


def _speak(deps: SynthesisDeps, slot: Slot, batch: JobBatch, leases: Leases) -> None:
    began, jobs = time.monotonic(), batch.jobs
    voices = {voice_id: one for job in jobs for voice_id, one in job.input.recordings.items()}

    def tick() -> None:
        leases.tick(jobs)

    def progress(done: int, pieces: int) -> None:
        leases.progress(jobs[0], done, pieces)

    with (
        deps.recordings.laid_out(slot.name, voices) as files,
        slot.loader.lent(jobs[0].pin, batch.chars, tick, alone=batch.alone) as host,
    ):
        _begin(deps, jobs, host.lock_sha256, leases)
        loaded = time.monotonic()
        take = speaking.spoken(host, batch, files, progress, tick)
    tick()  # a cancel that arrived with the last piece still counts
    for job, clip in zip(jobs, take.clips, strict=True):
        if leases.over(job):
            _over(deps, job, leases)
        else:
            _hand_in(deps, job, _result(deps, batch, job, clip, take, loaded - began), leases)


def _begin(deps: SynthesisDeps, jobs: Sequence[Job], lock_sha256: str, leases: Leases) -> None:
    for job in jobs:
        if job.lock_sha256 != lock_sha256:
            raise JobFailure(
                FailureCode.MODEL_LOCK_MISMATCH,
                f"accepted for lock {job.lock_sha256}, but this worker serves {job.pin} with lock {lock_sha256}",
            )
        if unknown := job.controls.keys() - CONTROLS.keys():
            raise JobFailure(
                FailureCode.ENGINE_ERROR, f"this worker's version does not know {', '.join(sorted(unknown))}"
            )
        if deps.store.begin(job.id, job.attempt):
            deps.announcer.announce(job.id, "processing")
        else:
            leases.lose(job)
    leases.require(jobs)


def _result(
    deps: SynthesisDeps, batch: JobBatch, job: Job, clip: RunningClip, take: SpokenTake, load_s: float
) -> Result:
    audio = clip.audio
    timings = {
        "queue_s": max(0.0, (job.started_at or 0.0) - job.created_at),
        "load_s": load_s,
        "speak_s": take.took_s,
        "rtf": take.rtf,
        "cpu_s": take.cpu_s_of(clip),
        "peak_rss_mb": take.peak.rss_mb,
    }
    if take.peak.vram_mb:
        timings["peak_vram_mb"] = take.peak.vram_mb
    kept = Spoken(deps.blobs.put(audio.pcm), audio.duration_s, audio.sample_rate, 1, clip.pieces, batch.job_ids)
    return Result(kept, timings, deps.environment_record.of(take.host_environment))


def _hand_in(deps: SynthesisDeps, job: Job, result: Result, leases: Leases) -> None:
    leases.settle(job)
    if not _insisting(deps, lambda: deps.store.finish(job.id, job.attempt, result, deps.clock())):
        leases.lose(job)
        _over(deps, job, leases)
        return
    deps.fitness.succeeded()
    # Announce and wake up only after the commit: a scorer claims only what the row says (ADR 1).
    deps.announcer.announce(job.id, "succeeded")
    if job.input.score:
        deps.wake_ups.wake_scoring()
    else:
        deps.wake_ups.wake_tracking()


def _over(deps: SynthesisDeps, job: Job, leases: Leases) -> None:
    """End a job that was canceled or whose lease was lost. Only the canceled one is written."""
    why = leases.over(job)
    leases.settle(job)
    if isinstance(why, JobCanceled):
        deps.store.stop(job.id, job.attempt, deps.clock())
        _ended(deps, job, "canceled")
    else:
        log.warning("lost the lease of %s, attempt %d; its result is dropped", job.id, job.attempt)


def _failed(deps: SynthesisDeps, slot: Slot, job: Job, failure: JobFailure) -> None:
    """Record a failure. If the fault may be this worker's, hand the job back or pass it on to another worker
    instead."""
    if failure.blameless:
        log.info("%s goes back to the queue: %s", job.id, failure)
        _handed_back(deps, [job])
    elif deps.fitness.failed(job, failure):
        log.warning("%s is handed back because this worker seems to be at fault: %s", job.id, failure.message)
        _handed_back(deps, [job])
    elif failure.code in MAY_BE_OURS and _insisting(
        deps, lambda: deps.store.pass_on(job.id, job.attempt, slot.process, deps.clock())
    ):
        log.warning("%s is passed on to other workers: %s: %s", job.id, failure.code.value, failure.message)
    else:
        error = JobError(failure.code, failure.message)
        _insisting(deps, lambda: deps.store.fail(job.id, job.attempt, error, deps.clock(), final=failure.final))
        _ended(deps, job, "failed")
    deps.wake_ups.wake_engine(job.engine)


def _ended(deps: SynthesisDeps, job: Job, event: str) -> None:
    deps.announcer.announce(job.id, event)
    deps.wake_ups.wake_tracking()
