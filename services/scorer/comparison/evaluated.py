"""An evaluation that is over, as comparison and report see it: a table of clips and what they were made with.

Owns the table's form, in memory and as JSON rows. Knows no store: who has one fills it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from shared.scores import Scored
from shared.suites.suite import Item, Suite


@dataclass(frozen=True, slots=True)
class SpokenClip:
    """One item at one seed. A clip that failed has neither audio nor scores, and ``error``."""

    item: str
    seed: int
    job_id: str
    cached: bool
    scores: Mapping[str, Scored]
    """By quantity, costs included."""
    pcm_sha256: str | None = None
    sample_rate: int | None = None
    duration_s: float | None = None
    environment: str | None = None
    """Id of the environment that spoke it."""
    run_id: str | None = None
    """In MLflow, once tracked."""
    error: str | None = None
    """``code: message`` of a job that ended without audio."""


@dataclass(frozen=True, slots=True)
class Evaluated:
    """One evaluation and everything that tells it from another."""

    id: str
    pin: str
    engine: str
    lock_sha256: str
    suite: Suite
    seeds: tuple[int, ...]
    score: bool | tuple[str, ...]
    params: Mapping[str, Any]
    """Members of a submission that hold for every item: speed, pitch_scale, sample_rate, voice, options …"""
    preprocessing: str
    """Of the texts: ``none``, or a normaliser with its version."""
    clips: tuple[SpokenClip, ...]
    environments: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    """By id, described whole; those of the clips."""
    licence: str = ""
    """Of the pin."""
    run_id: str | None = None
    run_url: str | None = None
    controls: Mapping[str, str] = field(default_factory=dict)
    """By control, what the engine does with it: native, post, no_effect or unsupported."""

    @property
    def items(self) -> Mapping[str, Item]:
        return {item.id: item for item in self.suite.items}
