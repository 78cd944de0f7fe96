"""Celery's doors into the scorer: policy is in shared/queue.py, work in the flows."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from services.scorer import judging, scoring, study_tracking, tracking_bench
from services.scorer.judging_bench import JudgingBench
from services.scorer.scoring import ScoringBench
from services.scorer.tracking_bench import TrackingBench
from shared.queue import JUDGE, SCORE, TRACK

MIRROR_ALIASES, DELETE_SURPLUS_RUNS = "ringtrue.mirror_aliases", "ringtrue.delete_surplus_runs"
"""No bell is ever rung for these turns: there is seldom anything to do, and every door is tried now and then."""


def doors(
    measuring: ScoringBench,
    judging_bench: JudgingBench,
    logging: TrackingBench | None,
    turns: Mapping[str, Callable[[], None]],
) -> Mapping[str, Callable[[], None]]:
    """Task name -> what a bell of it does. Without a tracking server there is no door to it, and no ``turns``."""
    found: dict[str, Callable[[], None]] = {
        SCORE: lambda: scoring.run(measuring),
        JUDGE: lambda: _judge(judging_bench),
    }
    if logging is not None:
        found[TRACK] = lambda: tracking_bench.answer(logging)
    return {**found, **turns}


def _judge(bench: JudgingBench) -> None:
    """What was computed may be due to be logged at once."""
    judging.run(bench)
    study_tracking.run(bench)
