"""Celery's doors into the scorer, one line each: policy is in shared/queue.py, work in the flows."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from services.scorer import scoring, tracking_bench
from services.scorer.scoring import ScoringBench
from services.scorer.tracking_bench import TrackingBench
from shared.queue import SCORE, TRACK


def doors(measuring: ScoringBench, logging: TrackingBench | None) -> Mapping[str, Callable[[], None]]:
    """Task name -> what a bell of it does. Without a tracking server there is no door for it."""
    score = {SCORE: lambda: scoring.run(measuring)}
    if logging is None:
        return score
    return {**score, TRACK: lambda: tracking_bench.answer(logging)}
