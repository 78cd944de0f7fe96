"""One job, from claim to audio: the third stop of the path. Owns what is said to the store while a job is spoken.

Knows engines only as hosts that speak, and the store, blobs and bells only as ports.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from services.worker.engine_host import EngineHost
from services.worker.engines.base import SpeakRequest
from services.worker.lease import HandBack, JobCanceled, JobLost, Lease
from services.worker.loader import Loader
from services.worker.pieces import join, pause_after, split
from services.worker.recordings import Recordings
from shared.audio import Audio
from shared.catalog import PinState
from shared.errors import FailureCode, JobFailure
from shared.jobs import Job, JobError, Piece, SpeechInput, Spoken
from shared.ports import Announcer, Bells, Blobs, JobStore, Result
from shared.slots import Slots

TURN_S = 2.0
"""A slot that has worked for this long lets Celery have its thread back before it takes another job."""

log = logging.getLogger(__name__)


@dataclass
class Slot:
    """One place to speak in: its own hosts, used by one thread at a time."""

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
    environment: str
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
    while not bench.stopping.is_set():
        if time.monotonic() > until:
            _ring_all(bench)
            return
        loader = slot.loader
        claimed = bench.store.claim(slot.name, loader.offer.served(), loader.loaded(), bench.lease_s, bench.clock())
        if not claimed:
            _refuse(bench, slot)
            return
        _ring_all(bench)  # there may be more: somebody else can look while this one is spoken
        for job in claimed:
            speak(bench, slot, job)


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


def speak(bench: Bench, slot: Slot, job: Job) -> None:
    """Speak one claimed job and record how it ended; nothing is recorded once it is somebody else's."""
    lease = Lease(bench, job)
    bench.announcer.announce(job.id, "starting")
    try:
        with bench.recordings.laid_out(slot.name, job.input.recordings) as files:
            result = _spoken(bench, slot, job, files, lease)
        if bench.store.finish(job.id, job.attempt, result, bench.clock()):
            _succeeded(bench, job)
    except JobLost:
        log.warning("%s attempt %d was lost; its result is dropped", job.id, job.attempt)
    except JobCanceled:
        bench.store.stop(job.id, job.attempt, bench.clock())
        _ended(bench, job, "canceled")
    except HandBack:
        bench.store.hand_back(job.id, job.attempt)
    except JobFailure as failure:
        _failed(bench, job, failure)
    except Exception as error:  # the one seam: whatever went wrong, the job must not stay held
        log.exception("%s failed in a way that nobody foresaw", job.id)
        _failed(bench, job, JobFailure(FailureCode.ENGINE_ERROR, f"internal error: {error!r}", final=False))


def _succeeded(bench: Bench, job: Job) -> None:
    bench.announcer.announce(job.id, "succeeded")
    if job.input.score:
        bench.bells.ring_scorer()
    else:
        bench.bells.ring_tracker()


def _failed(bench: Bench, job: Job, failure: JobFailure) -> None:
    error = JobError(failure.code, failure.message)
    bench.store.fail(job.id, job.attempt, error, bench.clock(), final=failure.final)
    bench.bells.ring_engine(job.engine)
    _ended(bench, job, "failed")


def _ended(bench: Bench, job: Job, event: str) -> None:
    bench.announcer.announce(job.id, event)
    bench.bells.ring_tracker()


def _spoken(bench: Bench, slot: Slot, job: Job, files: Mapping[str, Path], lease: Lease) -> Result:
    began = time.monotonic()
    host = slot.loader.acquire(job.pin, lease.tick)
    if host.lock_sha256 != job.lock_sha256:
        raise JobFailure(
            FailureCode.MODEL_LOCK_MISMATCH,
            f"accepted for lock {job.lock_sha256}, this worker serves {job.pin} with lock {host.lock_sha256}",
        )
    loaded = time.monotonic()
    if not bench.store.begin(job.id, job.attempt):
        raise JobLost
    bench.announcer.announce(job.id, "processing")
    audio, pieces = _speak_pieces(host, job, files, lease)
    speak_s = time.monotonic() - loaded
    lease.tick()  # a cancel that came with the last piece still counts
    spoken = Spoken(bench.blobs.put(audio.pcm), audio.duration_s, audio.sample_rate, 1, pieces)
    timings = {
        "queue_s": max(0.0, (job.started_at or 0.0) - job.created_at),
        "load_s": loaded - began,
        "speak_s": speak_s,
        "rtf": speak_s / audio.duration_s,
        "peak_rss_mb": host.peak_rss_mb(),
    }
    return Result(spoken, timings, bench.environment)


def _speak_pieces(
    host: EngineHost, job: Job, files: Mapping[str, Path], lease: Lease
) -> tuple[Audio, tuple[Piece, ...]]:
    texts = split(job.input.text, job.input.language, host.max_piece_chars)
    spoken: list[Audio] = []
    deadline = time.monotonic() + job.timeout_s
    for number, text in enumerate(texts):
        lease.progress(number, len(texts))
        left = deadline - time.monotonic()
        if left <= 0:
            raise JobFailure(FailureCode.ENGINE_TIMEOUT, f"not spoken within {job.timeout_s:g} s")
        request = _request(job.input, text, files)
        spoken.append(host.speak(request, sample_rate=job.input.sample_rate, deadline_s=left, tick=lease.tick))
    return join(texts, spoken, [pause_after(text, job.input.speed) for text in texts])


def _request(asked: SpeechInput, text: str, files: Mapping[str, Path]) -> SpeakRequest:
    """``files``: of the uploaded voices by id; an engine knows them by nothing else."""
    emotion = asked.emotion
    if emotion is not None and emotion.audio is not None:
        emotion = replace(emotion, audio=str(files[emotion.audio]))
    return SpeakRequest(
        text=text,
        language=asked.language,
        voice=asked.voice,
        reference=None if asked.reference is None else files[asked.reference],
        emotion=emotion,
        speed=asked.speed,
        pitch_scale=asked.pitch_scale,
        seed=asked.seed,
        options=asked.options,
    )
