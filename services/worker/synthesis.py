"""Jobs, from claim to audio: the third stop of the path. Owns what is said to the store while they are spoken.

Knows engines only as hosts that speak, and the store, blobs and bells only as ports.
"""

from __future__ import annotations

import logging
import threading
import time
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from services.worker import batches, speaking
from services.worker.batches import Batch
from services.worker.lease import HandBack, JobCanceled, JobLost, Leases
from services.worker.loader import Loader
from services.worker.recordings import Recordings
from services.worker.speaking import Clip, Take
from services.worker.whereabouts import Whereabouts
from shared.catalog import PinState
from shared.errors import FailureCode, JobFailure
from shared.jobs import Job, JobError, Spoken
from shared.ports import Announcer, Bells, Blobs, JobStore, Result
from shared.slots import Slots

TURN_S = 2.0
"""A slot that has worked for this long lets Celery have its thread back before it takes another job."""

log = logging.getLogger(__name__)


@dataclass
class Slot:
    """One place to speak in, used by one thread at a time; the hosts are the loader's, which all slots share."""

    name: str
    loader: Loader


@dataclass
class Bench:
    """What a worker process works with."""

    slots: Slots[Slot]
    store: JobStore
    blobs: Blobs
    bells: Bells
    announcer: Announcer
    whereabouts: Whereabouts
    families: Sequence[str]
    recordings: Recordings
    lease_s: float = 15.0
    grace_s: float = 10.0
    """After the worker was told to stop, a job may speak on for this long; then it is handed back."""
    clock: Callable[[], float] = time.time
    stopping: threading.Event = field(default_factory=threading.Event)
    stop_by: float | None = None

    def stop(self) -> None:
        """Take no more jobs; end the current ones within the grace period."""
        self.stop_by = time.monotonic() + self.grace_s
        self.stopping.set()

    @property
    def overdue(self) -> bool:
        """Told to stop, and the grace period is over."""
        return self.stop_by is not None and time.monotonic() > self.stop_by


def run(bench: Bench) -> None:
    """Answer a bell: speak what is queued, in a free slot."""
    bench.slots.work(lambda slot: _work(bench, slot))


def _work(bench: Bench, slot: Slot) -> None:
    until = time.monotonic() + TURN_S
    rung = False
    while not bench.stopping.is_set():
        if time.monotonic() > until:
            _ring_all(bench)
            return
        loader = slot.loader
        at_most = {manifest.pin: manifest.max_batch for manifest in loader.offer.ready()}
        claimed = bench.store.claim(slot.name, list(at_most), loader.loaded(), bench.lease_s, bench.clock(), at_most)
        if not claimed:
            _refuse(bench, slot)
            return
        if not rung:  # there may be more: somebody else can look while these are spoken
            _ring_all(bench)
            rung = True
        speak(bench, slot, claimed)


def _refuse(bench: Bench, slot: Slot) -> None:
    """End the jobs for pins that cannot be spoken with: here, and as far as the store knows nowhere else."""
    if not (refused := slot.loader.offer.refused()):
        return
    pins = [m.pin for m, _ in bench.store.manifests() if m.pin in refused and m.state is PinState.REFUSED]
    while pins and (claimed := bench.store.claim(slot.name, pins, [], bench.lease_s, bench.clock())):
        for job in claimed:
            _failed(bench, job, refused[job.pin])


def _ring_all(bench: Bench) -> None:
    for family in bench.families:
        bench.bells.ring_engine(family)


def speak(bench: Bench, slot: Slot, jobs: Sequence[Job]) -> None:
    """Speak jobs of one pin that were claimed together and record how each ended; nothing is recorded of one once it is
    somebody else's."""
    leases = Leases(bench, jobs)
    for job in jobs:
        bench.announcer.announce(job.id, "starting")
    manifest = slot.loader.offer.manifest(jobs[0].pin)
    assert manifest is not None, "it was claimed for"
    todo = deque(batches.gathered(jobs, manifest.max_batch, manifest.max_piece_chars))
    try:
        while todo:
            batch = _still_wanted(bench, todo.popleft(), leases)
            if batch is not None:
                todo.extendleft(reversed(_tried(bench, slot, batch, leases)))
    except HandBack:
        for job in leases.open(jobs):
            bench.store.hand_back(job.id, job.attempt)


def _still_wanted(bench: Bench, batch: Batch, leases: Leases) -> Batch | None:
    over = [job for job in batch.jobs if leases.over(job)]
    for job in over:
        _over(bench, job, leases)
    return batches.without(batch, over)


def _tried(bench: Bench, slot: Slot, batch: Batch, leases: Leases) -> Sequence[Batch]:
    """Speak one batch. Where it failed: what to try instead."""
    try:
        _speak(bench, slot, batch, leases)
    except (JobLost, JobCanceled):
        for job in batch.jobs:
            _over(bench, job, leases)
    except JobFailure as failure:
        if instead := batches.smaller(batch, failure):
            log.info("%d of %s did not go: %s: %s", len(batch.jobs), batch.jobs[0].pin, failure.code.value, failure)
            return instead
        leases.settle(batch.jobs[0])
        _failed(bench, batch.jobs[0], failure)
    except HandBack:
        raise
    except Exception as error:  # the one seam: whatever went wrong, no job must stay held
        log.exception("%s failed in a way that nobody foresaw", ", ".join(job.id for job in batch.jobs))
        why = JobFailure(FailureCode.ENGINE_ERROR, f"internal error: {error!r}", final=False)
        for job in leases.open(batch.jobs):
            leases.settle(job)
            _failed(bench, job, why)
    return ()


def _speak(bench: Bench, slot: Slot, batch: Batch, leases: Leases) -> None:
    began, jobs = time.monotonic(), batch.jobs
    voices = {voice_id: one for job in jobs for voice_id, one in job.input.recordings.items()}

    def tick() -> None:
        leases.tick(jobs)

    def progress(done: int, pieces: int) -> None:
        leases.progress(jobs[0], done, pieces)

    with (
        bench.recordings.laid_out(slot.name, voices) as files,
        slot.loader.lent(jobs[0].pin, batch.chars, tick, alone=batch.alone) as host,
    ):
        _begin(bench, jobs, host.lock_sha256, leases)
        loaded = time.monotonic()
        take = speaking.spoken(host, batch, files, progress, tick)
    tick()  # a cancel that came with the last piece still counts
    for job, clip in zip(jobs, take.clips, strict=True):
        if leases.over(job):
            _over(bench, job, leases)
        else:
            _hand_in(bench, job, _result(bench, batch, job, clip, take, loaded - began), leases)


def _begin(bench: Bench, jobs: Sequence[Job], lock_sha256: str, leases: Leases) -> None:
    for job in jobs:
        if job.lock_sha256 != lock_sha256:
            raise JobFailure(
                FailureCode.MODEL_LOCK_MISMATCH,
                f"accepted for lock {job.lock_sha256}, this worker serves {job.pin} with lock {lock_sha256}",
            )
        if bench.store.begin(job.id, job.attempt):
            bench.announcer.announce(job.id, "processing")
        else:
            leases.lose(job)
    leases.require(jobs)


def _result(bench: Bench, batch: Batch, job: Job, clip: Clip, take: Take, load_s: float) -> Result:
    audio = clip.audio
    timings = {
        "queue_s": max(0.0, (job.started_at or 0.0) - job.created_at),
        "load_s": load_s,
        "speak_s": take.took_s,
        "rtf": take.rtf,
        "peak_rss_mb": take.peak.rss_mb,
    }
    if take.peak.vram_mb:
        timings["peak_vram_mb"] = take.peak.vram_mb
    kept = Spoken(bench.blobs.put(audio.pcm), audio.duration_s, audio.sample_rate, 1, clip.pieces, batch.job_ids)
    return Result(kept, timings, bench.whereabouts.of(take.surroundings))


def _hand_in(bench: Bench, job: Job, result: Result, leases: Leases) -> None:
    leases.settle(job)
    if not bench.store.finish(job.id, job.attempt, result, bench.clock()):
        leases.lose(job)
        _over(bench, job, leases)
        return
    bench.announcer.announce(job.id, "succeeded")
    if job.input.score:
        bench.bells.ring_scorer()
    else:
        bench.bells.ring_tracker()


def _over(bench: Bench, job: Job, leases: Leases) -> None:
    """Nobody wants it any more, or it is another worker's."""
    why = leases.over(job)
    leases.settle(job)
    if isinstance(why, JobCanceled):
        bench.store.stop(job.id, job.attempt, bench.clock())
        _ended(bench, job, "canceled")
    else:
        log.warning("%s attempt %d was lost; its result is dropped", job.id, job.attempt)


def _failed(bench: Bench, job: Job, failure: JobFailure) -> None:
    error = JobError(failure.code, failure.message)
    bench.store.fail(job.id, job.attempt, error, bench.clock(), final=failure.final)
    bench.bells.ring_engine(job.engine)
    _ended(bench, job, "failed")


def _ended(bench: Bench, job: Job, event: str) -> None:
    bench.announcer.announce(job.id, event)
    bench.bells.ring_tracker()
