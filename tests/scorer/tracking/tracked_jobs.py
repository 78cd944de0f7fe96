"""Jobs as the tracking facet meets them: one line for what a test does not care about."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from shared.catalog import Manifest, Support
from shared.controls import Emotion
from shared.errors import FailureCode
from shared.jobs import Facet, FacetStatus, Job, JobError, JobIds, NewJob, Piece, SpeechInput, Spoken, Status
from shared.ports import Blobs, FacetName, Result, Submission
from shared.scores import Reason, Score, Scored, Unscored
from tests.memory_store import MemoryJobStore

NOW = 1_750_000_000.0
ENVIRONMENT_ID = "0123456789abcdef"
ENVIRONMENT = {"architecture": "x86_64", "gpu": None, "commit": "c" * 40, "libraries": {"numpy": "2.4.6"}}
PCM = bytes(range(256)) * 400
MANIFEST = Manifest(
    pin="espeak-v2",
    engine="espeak",
    engine_version="1.52",
    lock_sha256="a" * 64,
    sample_rate=22_050,
    languages=("en", "zh"),
    default_language="en",
    voices=("cmn",),
    controls={"emotion": Support.NATIVE},
    emotions=("neutral", "happy"),
    model_repo="team/espeak",
    model_revision="d" * 40,
)
SCORES: Mapping[str, Scored] = {
    "mos/nisqa_tts": Score(3.97, "MOS", "e" * 64),
    "mos/dnsmos_ovrl": Score(3.1, "MOS", "e" * 64),
    "semantic/similarity": Score(0.91, "cosine", "e" * 64),
    "asr/wer": Unscored(Reason.LANGUAGE_NOT_COVERED),
    "mos/utmos": Unscored(Reason.MODEL_NOT_PULLED, "no weights"),
}
HAPPY = SpeechInput("今天的阳光真灿烂!", "zh", voice="cmn+f2", emotion=Emotion("happy", strength=0.8), seed=42)
TIMINGS = {"queue_s": 0.02, "load_s": 0.4, "speak_s": 0.31, "rtf": 0.08, "peak_rss_mb": 120.0}

_ids = JobIds()


def new_job(said: SpeechInput = HAPPY, **changes: Any) -> NewJob:
    given: dict[str, Any] = {
        "id": _ids.next(),
        "user": "ann",
        "pin": MANIFEST.pin,
        "engine": MANIFEST.engine,
        "lock_sha256": MANIFEST.lock_sha256,
        "asked": {"text": said.text},
        "input": said,
        "controls": {"strength": "native", "emotion": "native"},
        "metadata": {"ticket": "A-17"},
        "priority": 0,
        "created_at": NOW,
        "expires_at": NOW + 3600,
        "timeout_s": 300.0,
        "estimated_s": 4.0,
        **changes,
    }
    return NewJob(**given)


def spoken(pcm_sha256: str, pieces: int = 1) -> Spoken:
    length = 4.0 / pieces
    marks = tuple(Piece("今天", n * length, (n + 1) * length) for n in range(pieces))
    return Spoken(pcm_sha256, 4.0, 22_050, 1, marks)


def finished_job(said: SpeechInput = HAPPY, **changes: Any) -> Job:
    """A job that was spoken and scored, its tracking claimed for the first time."""
    given: dict[str, Any] = {
        "status": Status.SUCCEEDED,
        "scoring": Facet(FacetStatus.DONE, attempt=1),
        "tracking": Facet(FacetStatus.RUNNING, attempt=1),
        "attempt": 1,
        "started_at": NOW + 1,
        "completed_at": NOW + 2,
        "audio": spoken("b" * 64),
        "timings": TIMINGS,
        "environment": ENVIRONMENT_ID,
        "scores": SCORES,
        "scorers_lock": "f" * 64,
        **changes,
    }
    return Job.accepted(new_job(said)).evolve(**given)


def ended_job(status: Status, error: JobError | None = None) -> Job:
    """A job that ended without audio after it was started."""
    nothing: dict[str, Any] = {"audio": None, "scores": {}, "scorers_lock": None, "timings": {}, "environment": None}
    return finished_job(status=status, error=error, scoring=Facet(FacetStatus.SKIPPED), **nothing)


@dataclass
class Shop:
    """A store with blobs in which jobs get as far as tracking, each step through the store's own methods."""

    blobs: Blobs
    store: MemoryJobStore = field(default_factory=MemoryJobStore)
    now: float = NOW

    def __post_init__(self) -> None:
        self.store.publish("worker", [MANIFEST], self.now)
        self.store.record_environment(ENVIRONMENT_ID, ENVIRONMENT)

    def clock(self) -> float:
        return self.now

    def spoken(self, said: SpeechInput = HAPPY, pcm: bytes = PCM) -> str:
        """A job that was spoken and scored; its id."""
        job = self._claimed(said)
        audio = spoken(self.blobs.put(pcm))
        self.store.finish(job.id, job.attempt, Result(audio, TIMINGS, ENVIRONMENT_ID), self.now)
        [claimed] = self.store.claim_facet(FacetName.SCORING, "scorer", 60, self.now)
        self.store.finish_scoring(job.id, claimed.scoring.attempt, SCORES, "f" * 64, 0.9)
        return job.id

    def failed(self) -> str:
        job = self._claimed(HAPPY)
        error = JobError(FailureCode.ENGINE_ERROR, "no such voice")
        self.store.fail(job.id, job.attempt, error, self.now, final=True)
        return job.id

    def canceled(self) -> str:
        job = self._claimed(HAPPY)
        self.store.stop(job.id, job.attempt, self.now)
        return job.id

    def job(self, job_id: str) -> Job:
        return self.store.get([job_id])[job_id]

    def _claimed(self, said: SpeechInput) -> Job:
        new = replace(new_job(said), created_at=self.now, expires_at=self.now + 3600)
        self.store.add([Submission([new])])
        [job] = self.store.claim("worker", [MANIFEST.pin], [], 60, self.now)
        self.store.begin(job.id, job.attempt)
        return job
