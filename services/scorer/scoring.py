"""Score one spoken job: the fifth stop of the path. Owns what is said to the store while a clip is measured.

Knows metrics only through the metric host, which may lose one of them without losing the others.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from services.scorer.metric_host import MetricHost
from shared.audio import Audio
from shared.jobs import Job
from shared.leases import kept
from shared.ports import Announcer, Bells, Blobs, FacetName, JobStore
from shared.scores import Reason, Scored, Unscored
from shared.slots import Slots
from shared.studies import StudyStore

TURN_S = 5.0
"""A slot that has worked for this long lets Celery have its thread back before it takes another job."""

log = logging.getLogger(__name__)


@dataclass
class ScoringBench:
    """What a scorer process measures with."""

    slots: Slots[MetricHost]
    store: JobStore
    blobs: Blobs
    recordings: Blobs
    """Of uploaded voices."""
    bells: Bells
    announcer: Announcer
    holder: str
    studies: StudyStore | None = None
    """Is told the locks of what is loaded, so that the gateway knows which clips need no new scores."""
    lease_s: float = 30.0
    clock: Callable[[], float] = time.time
    stopping: threading.Event = field(default_factory=threading.Event)
    _published: Mapping[str, str] = field(default_factory=dict)

    def publish(self, locks: Mapping[str, str]) -> None:
        """Tell the store by what is scored here, where that has changed."""
        if self.studies is not None and not locks.items() <= self._published.items():
            self.studies.publish_scorers(locks, self.clock())
            self._published = {**self._published, **locks}


def run(bench: ScoringBench) -> None:
    """Answer a bell: score what is due, in a free slot."""
    bench.slots.work(lambda host: _work(bench, host))


def warm(bench: ScoringBench) -> None:
    """Load the default models of one free slot before the first clip asks for them, then score what came meanwhile."""
    warmed = False

    def look(host: MetricHost) -> None:
        nonlocal warmed
        if not warmed:
            warmed = True
            for family, unscored in host.warm().items():
                log.warning("%s is not measured: %s", family, unscored.detail or unscored.reason)
            bench.publish(host.locks)
        _work(bench, host)

    bench.slots.work(look)


def _work(bench: ScoringBench, host: MetricHost) -> None:
    until = time.monotonic() + TURN_S
    while not bench.stopping.is_set():
        if time.monotonic() > until:
            bench.bells.ring_scorer()
            return
        claimed = bench.store.claim_facet(FacetName.SCORING, bench.holder, bench.lease_s, bench.clock())
        if not claimed:
            return
        bench.bells.ring_scorer()  # there may be more: another slot can look while this clip is measured
        for job in claimed:
            score(bench, host, job)


def score(bench: ScoringBench, host: MetricHost, job: Job) -> None:
    """Measure one clip and record every value or the reason for its absence."""
    attempt = job.scoring.attempt

    def beat() -> bool:
        return bench.store.beat_facet(FacetName.SCORING, job.id, attempt, bench.lease_s, bench.clock())

    began = time.monotonic()
    with kept(beat, bench.lease_s / 3) as lost:
        scores, scorers_lock = _measure(bench, host, job)
    if lost.is_set():
        log.warning("scoring of %s attempt %d was lost; its scores are dropped", job.id, attempt)
        return
    seconds = time.monotonic() - began
    if bench.store.finish_scoring(job.id, attempt, scores, scorers_lock, seconds):
        bench.announcer.announce(job.id, "scored")
        bench.bells.ring_tracker()
        bench.bells.ring_judge()
    bench.publish(host.locks)


def _measure(bench: ScoringBench, host: MetricHost, job: Job) -> tuple[Mapping[str, Scored], str]:
    assert job.audio is not None, "scoring is due only once there is audio"
    try:
        pcm = bench.blobs.get(job.audio.pcm_sha256)
    except KeyError:
        log.error("%s: its audio %s is gone", job.id, job.audio.pcm_sha256)
        return {name: Unscored(Reason.SCORER_ERROR, "the audio is gone") for name in host.names(job.input.score)}, ""
    return host.measure_all(
        Audio(pcm, job.audio.sample_rate),
        text=job.input.text,
        language=job.input.language,
        reference=_reference(bench.recordings, job),
        emotion=job.input.emotion.name if job.input.emotion else None,
        cost=job.timings,
        families=job.input.score,
    )


def _reference(recordings: Blobs, job: Job) -> Audio | None:
    """The voice that the job was to sound like; ``None`` where it names none, or its user has taken it back since."""
    recording = job.input.recordings.get(job.input.reference or "")
    if recording is None:
        return None
    try:
        return Audio(recordings.get(recording.pcm_sha256), recording.sample_rate)
    except KeyError:
        log.info("%s: its reference %s was taken back", job.id, job.input.reference)
        return None
