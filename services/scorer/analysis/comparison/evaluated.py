"""An evaluation that is over, as comparison and report see it: a table of clips, and what they were made with.

Owns the form of the table in memory; evaluated_json.py has it as JSON. Knows no store: its callers fill it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from shared.scores import Scored
from shared.suites.preprocessing import NONE
from shared.suites.suite import Item, Suite


@dataclass(frozen=True, slots=True)
class SpokenClip:
    """One item at one seed. A clip that failed has an ``error``, and neither audio nor scores."""

    item: str
    seed: int
    job_id: str
    cached: bool
    scores: Mapping[str, Scored]
    """By quantity, including costs."""
    pcm_sha256: str | None = None
    sample_rate: int | None = None
    duration_s: float | None = None
    environment: str | None = None
    """Id of the environment that it was spoken in."""
    run_id: str | None = None
    """Its run in MLflow, once it is tracked."""
    error: str | None = None
    """``code: message`` of a job that ended without audio."""


@dataclass(frozen=True, slots=True)
class Evaluated:
    """One evaluation, with everything that distinguishes it from another."""

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
    """The preprocessing of the texts: ``none``, or a normaliser with its version."""
    clips: tuple[SpokenClip, ...]
    environments: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    """The environments of the clips by id, with all their facts."""
    licence: str = ""
    """The pin's licence."""
    run_id: str | None = None
    run_url: str | None = None
    controls: Mapping[str, str] = field(default_factory=dict)
    """What the engine does with each control: native, post, no_effect or unsupported."""
    lexicon: str = NONE
    """Name, version and hash of the lexicon that the texts were spoken with, or ``none``."""

    @property
    def items(self) -> Mapping[str, Item]:
        return {item.id: item for item in self.suite.items}
