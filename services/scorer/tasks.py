"""Celery's doors into the scorer, one line each: policy is in shared/queue.py, work in the flows."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from services.scorer import scoring, tracking_bench
from services.scorer.alias_mirror import AliasMirror
from services.scorer.scoring import ScoringBench
from services.scorer.tracking_bench import TrackingBench
from shared.queue import SCORE, TRACK

MIRROR_ALIASES = "ringtrue.mirror_aliases"
"""No bell is ever rung for it: aliases move seldom, and its door is tried now and then like every other."""


def doors(
    measuring: ScoringBench, logging: TrackingBench | None, mirror: AliasMirror | None
) -> Mapping[str, Callable[[], None]]:
    """Task name -> what a bell of it does. Without a tracking server there is no door to it."""
    found: dict[str, Callable[[], None]] = {SCORE: lambda: scoring.run(measuring)}
    if logging is not None:
        found[TRACK] = lambda: tracking_bench.answer(logging)
    if mirror is not None:
        found[MIRROR_ALIASES] = mirror.turn
    return found
