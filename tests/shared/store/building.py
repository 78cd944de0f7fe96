"""Jobs, results and manifests for the tests of the store: one line for what a test does not care about."""

from __future__ import annotations

from typing import Any

from shared.catalog import Manifest, Support
from shared.jobs import Emotion, NewJob, Piece, SpeechInput, Spoken
from shared.ports import Result

NOW = 1_000_000.0
"""When most tests begin; epoch seconds, somewhere within a fairness window."""
TTL_S = 3600.0
LEASE_S = 30.0

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


def new_job(id: str, *, user: str = "ann", pin: str = MANIFEST.pin, **changes: Any) -> NewJob:
    """A job as the gateway adds it; ``changes`` are members of ``NewJob``."""
    given: dict[str, Any] = {
        "engine": MANIFEST.engine,
        "lock_sha256": MANIFEST.lock_sha256,
        "asked": {"text": "今天的阳光真灿烂!", "pin": pin, "emotion": "happy"},
        "input": SpeechInput("今天的阳光真灿烂!", "zh", emotion=Emotion("happy"), options={"gap_ms": 10}),
        "controls": {"emotion": "native", "speed": "native"},
        "metadata": {"ticket": "A-17"},
        "priority": 0,
        "created_at": NOW,
        "expires_at": NOW + TTL_S,
        "timeout_s": 300.0,
        "estimated_s": 4.0,
        **changes,
    }
    return NewJob(id=id, user=user, pin=pin, **given)


def result(duration_s: float = 4.0) -> Result:
    """What a worker hands in."""
    pieces = (Piece("今天的阳光真灿烂!", 0.0, duration_s),)
    return Result(Spoken("b" * 64, duration_s, 22_050, 1, pieces), {"queue_s": 0.02, "speak_s": 0.31}, "env")
