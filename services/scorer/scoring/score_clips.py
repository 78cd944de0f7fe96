"""The scoring flow: claim a spoken job, measure its clip, record the scores.

The fifth stop of a job's path. Owns the calls to the store while a clip is measured. Knows metrics only through the
metric host, which may lose one of them without losing the others.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from services.scorer.scoring.metric_host import MeasuringAbandoned, MetricHost
from shared.audio import Audio
from shared.files.machine_trouble import of_the_machine
from shared.jobs import Job
from shared.ports import Announcer, Blobs, FacetName, JobStore, WakeUps
from shared.scheduling.lapsing import SCORER_LEASE_S
from shared.scheduling.leases import kept
from shared.scheduling.slots import Slots
from shared.scores import Reason, Scored, Unscored
from shared.studies import StudyStore

TURN_S = 5.0
"""After this many seconds of work a slot returns its thread to Celery before it takes another job."""
HINDERED_S = 15.0
"""Seconds until a clip is tried again that could not be read because the disk or a process was not available."""

log = logging.getLogger(__name__)


@dataclass
class ScoringDeps:
    """What a scorer process measures with."""

    slots: Slots[MetricHost]
    store: JobStore
    blobs: Blobs
    recordings: Blobs
    """The recordings of uploaded voices."""
    wake_ups: WakeUps
    announcer: Announcer
    holder: str
    studies: StudyStore | None = None
    """Is told the locks of the loaded families, so that the gateway knows which clips need no new scores. Is asked
    whether a clip was the last that a study waited for."""
    lease_s: float = SCORER_LEASE_S
    clock: Callable[[], float] = time.time
    stopping: threading.Event = field(default_factory=threading.Event)
    _published: Mapping[str, str] = field(default_factory=dict)

    def publish(self, locks: Mapping[str, str]) -> None:
        """Publish the locks that this scorer scores with, if they have changed."""
        if self.studies is not None and not locks.items() <= self._published.items():
            self.studies.publish_scorers(locks, self.clock())
            self._published = {**self._published, **locks}


def run(deps: ScoringDeps) -> None:
    """Answer a wake-up: score what is due, in a free slot."""
    deps.slots.work(lambda host: _work(deps, host))


def warm(deps: ScoringDeps) -> None:
    """Load the default models in one free slot before the first clip needs them, then score what has become due
    meanwhile."""
    warmed = False

    def look(host: MetricHost) -> None:
        nonlocal warmed
        if not warmed:
            warmed = True
            for family, unscored in _warmed(host).items():
                if deps.stopping.is_set():  # the stop ended its host during the load, so the reason says nothing
                    break
                not_pulled = unscored.reason is Reason.MODEL_NOT_PULLED  # this stays so until somebody pulls the model
                level = logging.INFO if not_pulled else logging.WARNING
                log.log(level, "%s is not measured: %s", family, unscored.detail or unscored.reason)
            deps.publish(host.locks)
        _work(deps, host)

    deps.slots.work(look)


def _warmed(host: MetricHost) -> Mapping[str, Unscored]:
    try:
        return host.warm()
    except MeasuringAbandoned:
        return {}


def _work(deps: ScoringDeps, host: MetricHost) -> None:
    until = time.monotonic() + TURN_S
    while not deps.stopping.is_set():
        # The handler of this wake-up goes on with the rest.
        if time.monotonic() > until:
            deps.wake_ups.wake_scoring()
            return
        claimed = deps.store.claim_facet(FacetName.SCORING, deps.holder, deps.lease_s, deps.clock())
        if not claimed:
            return
        deps.wake_ups.wake_scoring()  # there may be more: another slot can claim it while this clip is measured
        for job in claimed:
            score(deps, host, job)


def score(deps: ScoringDeps, host: MetricHost, job: Job) -> None:
    """Measure one claimed clip and record every value, or the reason why it is missing.

    A job that cannot be measured now, because the scorer stops or the machine is in trouble, is postponed.
    """
    attempt = job.scoring.attempt

    def beat() -> bool:
        return deps.store.beat_facet(FacetName.SCORING, job.id, attempt, deps.lease_s, deps.clock())

    began = time.monotonic()
    try:
        with kept(beat, deps.lease_s / 3) as lost:
            scores, scorers_lock = _measure(deps, host, job)
    except MeasuringAbandoned as why:
        log.info("%s is handed back for another scorer: %s", job.id, why)
        deps.store.postpone_facet(FacetName.SCORING, job.id, attempt, deps.clock())
        return
    except Exception as error:
        if not of_the_machine(error):
            raise
        log.warning("scoring of %s is postponed: %s", job.id, error)
        deps.store.postpone_facet(FacetName.SCORING, job.id, attempt, deps.clock() + HINDERED_S)
        return
    # The lease ran out, so another scorer may hold the job. `finish_scoring` names the attempt and would refuse the
    # write as well.
    if lost.is_set():
        log.warning("lost the lease of scoring %s, attempt %d; its scores are dropped", job.id, attempt)
        return
    seconds = time.monotonic() - began
    # Wake-ups go out only after the commit: a handler that looks at the row before it finds nothing due.
    if deps.store.finish_scoring(job.id, attempt, scores, scorers_lock, seconds):
        deps.announcer.announce(job.id, "scored")
        deps.wake_ups.wake_tracking()
        if deps.studies is None or deps.studies.any_due(deps.clock()):  # else a wake-up costs more than this look
            deps.wake_ups.wake_analysis()
    deps.publish(host.locks)


def _measure(deps: ScoringDeps, host: MetricHost, job: Job) -> tuple[Mapping[str, Scored], str]:
    assert job.audio is not None, "scoring is due only once there is audio"
    try:
        pcm = deps.blobs.get(job.audio.pcm_sha256)
    except KeyError:
        log.error("%s: audio %s is missing", job.id, job.audio.pcm_sha256)
        return {name: Unscored(Reason.SCORER_ERROR, "the audio is missing") for name in host.names(job.input.score)}, ""
    return host.measure_all(
        Audio(pcm, job.audio.sample_rate),
        text=job.input.as_written,
        language=job.input.language,
        reference=_reference(deps.recordings, job),
        emotion=job.input.emotion.name if job.input.emotion else None,
        pronunciation=job.input.pronunciation,
        cost=job.timings,
        families=job.input.score,
    )


def _reference(recordings: Blobs, job: Job) -> Audio | None:
    """Return the voice that the job should sound like.

    ``None`` if the job names none, or if its user has withdrawn the recording since.
    """
    recording = job.input.recordings.get(job.input.reference or "")
    if recording is None:
        return None
    try:
        return Audio(recordings.get(recording.pcm_sha256), recording.sample_rate)
    except KeyError:
        log.info("%s: reference %s was removed by its user", job.id, job.input.reference)
        return None
