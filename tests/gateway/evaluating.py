"""What tests of evaluations ask for, and hands that do a worker's and a scorer's work on them."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from shared.machine.environment import comparable
from shared.scores import Score, Scored
from shared.studies import Step
from tests.gateway.place import RICH, Place

HERE = {"architecture": "x86_64", "precision": "float32"}
LOCK = "ef" * 32
NOW_SCORED = {"mos__nisqa": Score(3.9, "MOS", LOCK)}
SUITE = {
    "schema": 1,
    "name": "ours",
    "version": "1",
    "title": "Three sentences",
    "licence": "CC0-1.0",
    "language": "en",
    "items": [
        {"id": "plain-1", "text": "Good morning."},
        {"id": "happy-1", "text": "What a day!", "emotion": "happy", "strength": 0.5, "tags": ["greeting"]},
        {"id": "chinese-1", "text": "今天的阳光真灿烂!", "language": "zh", "voice": "ben"},
    ],
}
WANTED = {"suite": SUITE, "pin": RICH.pin}


SCORED = {
    "metrics": {
        "mos/nisqa": {"unit": "MOS", "direction": "higher", "mean": 3.9, "n": 1, "scored": 1, "unscored": {}},
    },
    "noise": {
        "mos/nisqa": {
            "run_to_run": 0.1, "sigma": 0.2, "freedom": 5, "items": 1, "is_zero": False, "scorer_lock": LOCK,
        },
    },
    "scorer_locks": {"mos/nisqa": LOCK},
    "environments": ["env"],
    "files": {},
}  # fmt: skip
"""What a scorer makes of an evaluation."""


def item(**changes: Any) -> dict[str, Any]:
    """A suite of one item."""
    return {**SUITE, "items": [{"id": "one", "text": "Hello.", **changes}]}


async def evaluate(place: Place, headers: Mapping[str, str] | None = None, **changes: Any) -> dict[str, Any]:
    """An evaluation, accepted."""
    answer = await place.http.post("/v1/evaluations", json={**WANTED, **changes}, headers=headers)
    assert answer.status_code == 202, answer.text
    document: dict[str, Any] = answer.json()
    return document


def settle(place: Place) -> None:
    """Publish where RICH is spoken, and what the scorers of now score by."""
    place.store.publish("worker", [replace(RICH, environment=comparable(HERE))], time.time())
    place.store.record_environment("env", HERE)
    place.studies.publish_scorers({"mos/nisqa": LOCK}, time.time())


def perform(place: Place, clips: int, **scores: Scored) -> None:
    """Speak and score as many clips as there are waiting."""
    for number in range(clips):
        place.speak(bytes([number % 256, 1]) * 1000)
        place.score(**(scores or NOW_SCORED))


def finish(place: Place, outcome: Mapping[str, Any]) -> str:
    """Hand in the result of the one study that is due; its id."""
    study = place.studies.claim(Step.RESULT, "scorer", 60.0, time.time())
    assert study is not None, "no study is due"
    assert place.studies.finish(study.id, study.result.attempt, outcome, time.time())
    return study.id
