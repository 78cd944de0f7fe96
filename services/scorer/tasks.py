"""Celery's task handlers of the scorer. The delivery policy is in shared/messages/queue.py, the work is in the
flows."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from services.scorer.scoring import score_clips
from services.scorer.scoring.score_clips import ScoringDeps
from services.scorer.studies import compute_studies
from services.scorer.studies.compute_studies import ComputeDeps
from services.scorer.tracking import track_clips, track_studies
from services.scorer.tracking.track_clips import ClipTrackingDeps
from services.scorer.tracking.track_studies import StudyTrackingDeps
from shared.messages.queue import ANALYSE, SCORE, TRACK

MIRROR_ALIASES, DELETE_SURPLUS_RUNS = "ringtrue.mirror_aliases", "ringtrue.delete_surplus_runs"
"""Periodic tasks that no wake-up is ever sent for. They seldom find work, and every handler is called now and then."""


@dataclass(frozen=True, slots=True)
class TrackingDeps:
    """What the tracking handlers log runs of clips and of studies with."""

    clips: ClipTrackingDeps
    studies: StudyTrackingDeps


def task_handlers(
    measuring: ScoringDeps,
    computing: ComputeDeps,
    tracking: TrackingDeps | None,
    turns: Mapping[str, Callable[[], None]],
) -> Mapping[str, Callable[[], None]]:
    """Return the handler of each task by the task's name.

    Without a tracking server (``tracking`` is None) there is no handler for the tracking queue, and ``turns`` is empty.
    """
    found: dict[str, Callable[[], None]] = {
        SCORE: lambda: score_clips.run(measuring),
        ANALYSE: lambda: _compute_and_log(computing, tracking),
    }
    if tracking is not None:
        found[TRACK] = lambda: track_clips.run(tracking.clips)
    return {**found, **turns}


def _compute_and_log(computing: ComputeDeps, tracking: TrackingDeps | None) -> None:
    """Compute the due studies, then log them: a study that was just computed may be due for tracking at once."""
    compute_studies.run(computing)
    if tracking is not None:
        track_studies.run(tracking.studies)
