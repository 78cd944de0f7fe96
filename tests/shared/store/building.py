"""Jobs, results and manifests for the tests of the store, and the way of one job: what a test does not care about."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from shared.catalog import Manifest, Support
from shared.controls import Emotion
from shared.errors import FailureCode
from shared.jobs import Job, JobError, NewJob, Piece, SpeechInput, Spoken
from shared.ports import FacetName, Idempotency, JobStore, Result, Submission, Swept
from shared.store.sql import Database
from shared.store.sql.tables.schema import metadata

NOW = 1_000_200.0
"""When most tests begin: epoch seconds, the start of a fairness window."""
TTL_S = 3600.0
LEASE_S = 30.0
DAY_S = 86_400.0

MANIFEST = Manifest(
    pin="espeak-v2",
    engine="espeak",
    engine_version="1.52",
    lock_sha256="a" * 64,
    sample_rate=22_050,
    languages=("en", "zh"),
    default_language="en",
    voices=("cmn",),
    controls={"speed": Support.NATIVE},
    emotions=("neutral", "happy"),
)
OTHER_MANIFEST = replace(MANIFEST, pin="espeak-v3", lock_sha256="c" * 64)
PIN, OTHER_PIN = MANIFEST.pin, OTHER_MANIFEST.pin
ENGINE_ERROR = JobError(FailureCode.ENGINE_ERROR, "it did not speak")


def new_job(id: str, *, score: bool = True, **changes: Any) -> NewJob:
    """A job as the gateway adds it; ``changes`` are members of ``NewJob``."""
    given: dict[str, Any] = {
        "user": "ann",
        "pin": PIN,
        "engine": MANIFEST.engine,
        "lock_sha256": MANIFEST.lock_sha256,
        "asked": {"text": "今天的阳光真灿烂!", "emotion": "happy"},
        "input": SpeechInput(
            "今天的阳光真灿烂!",
            "zh",
            emotion=Emotion("happy"),
            options={"gap_ms": 10},
            score=("signal",) if score else False,
        ),
        "controls": {"emotion": "native", "speed": "native"},
        "metadata": {"ticket": "A-17"},
        "priority": 0,
        "created_at": NOW,
        "expires_at": NOW + TTL_S,
        "timeout_s": 300.0,
        "estimated_s": 4.0,
        **changes,
    }
    return NewJob(id=id, **given)


def result(duration_s: float = 4.0) -> Result:
    """What a worker hands in."""
    pieces = (Piece("今天的阳光真灿烂!", 0.0, duration_s),)
    return Result(
        Spoken("b" * 64, duration_s, 22_050, 1, pieces, ("job_1", "job_2")), {"queue_s": 0.02, "speak_s": 0.31}, "env"
    )


def idempotency(scope: str, *, created_at: float = NOW) -> Idempotency:
    """A request that may be sent twice."""
    return Idempotency(scope, "fingerprint", created_at, 202, b'{"id":"job_1"}\x00\xff')


def add(store: JobStore, *jobs: NewJob) -> None:
    """Add jobs that must be new."""
    assert store.add([Submission(jobs)]) == [True]


def job(store: JobStore, id: str) -> Job:
    """The job as it is now."""
    return store.get([id])[id]


def claim(store: JobStore, now: float = NOW, *, at_most: int = 1, **changes: Any) -> list[Job]:
    """Claim as a worker that can serve both pins and has neither loaded. ``at_most``: jobs, of either."""
    asked: dict[str, Any] = {"pins": [PIN, OTHER_PIN], "loaded": [], "lease_s": LEASE_S, **changes}
    return store.claim("worker", now=now, **asked, at_most={PIN: at_most, OTHER_PIN: at_most})


def claimed_ids(store: JobStore, times: int, now: float = NOW, **changes: Any) -> list[str]:
    """The ids of the next jobs by fair choice, claimed one by one."""
    return [job.id for _ in range(times) for job in claim(store, now, **changes)]


def start(store: JobStore, id: str, now: float = NOW) -> int:
    """Claim the one queued job and begin; its attempt."""
    (taken,) = claim(store, now)
    assert taken.id == id
    assert store.begin(id, taken.attempt)
    return taken.attempt


def speak(store: JobStore, id: str, now: float = NOW) -> None:
    """Take the one queued job to succeeded."""
    assert store.finish(id, start(store, id, now), result(), now)


def score(store: JobStore, id: str, now: float = NOW) -> None:
    """Take the one job whose scoring is due to scored."""
    (taken,) = store.claim_facet(FacetName.SCORING, "scorer", LEASE_S, now)
    assert taken.id == id
    assert store.finish_scoring(id, taken.scoring.attempt, {}, "lock", 0.5)


def emptied(database: Database) -> Database:
    """``database`` without rows."""
    with database.write() as connection:
        for table in reversed(metadata.sorted_tables):
            connection.execute(table.delete())
    return database


def sweep(store: JobStore, now: float) -> Swept:
    """Sweep with a tracking budget and an idempotency of a day."""
    return store.sweep(now, tracking_budget_s=DAY_S, idempotency_s=DAY_S)
