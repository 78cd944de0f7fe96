"""Scores, and the honest absence of one.

Owns the words `score`, `unscored`, `metric`. Knows no metric: those live in services/scorer/metrics.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any


class Reason(StrEnum):
    """Why a value could not be measured. Never a zero, never in a mean."""

    NO_SPEECH = "no_speech"
    TOO_SHORT = "too_short"
    TOO_LONG = "too_long"
    LANGUAGE_NOT_COVERED = "language_not_covered"
    CLASS_NOT_COVERED = "class_not_covered"
    NEEDS_REFERENCE = "needs_reference"
    NEEDS_TEXT = "needs_text"
    MODEL_NOT_PULLED = "model_not_pulled"
    SCORER_ERROR = "scorer_error"
    SCORER_TIMEOUT = "scorer_timeout"
    NOT_SPOKEN = "not_spoken"  # the job ended without audio


class Direction(StrEnum):
    """Which way is better."""

    HIGHER = "higher"
    LOWER = "lower"
    NEUTRAL = "neutral"  # describes, does not judge


@dataclass(frozen=True, slots=True)
class Score:
    """One measured value, finite, in ``unit``, by the scorer whose lock is ``scorer_lock``."""

    value: float
    unit: str
    scorer_lock: str

    def __post_init__(self) -> None:
        if not math.isfinite(self.value):
            raise ValueError(f"a score is a finite number, not {self.value}")

    def to_json(self) -> dict[str, Any]:
        return {"value": self.value, "unit": self.unit, "scorer_lock": self.scorer_lock}


@dataclass(frozen=True, slots=True)
class Unscored:
    """A value that could not be measured, and why. ``detail`` is for people."""

    reason: Reason
    detail: str = ""

    def to_json(self) -> dict[str, Any]:
        return {"unscored": self.reason.value, **({"detail": self.detail} if self.detail else {})}


Scored = Score | Unscored


def scored_from_json(data: Mapping[str, Any]) -> Scored:
    """Inverse of ``to_json`` of either."""
    if "unscored" in data:
        return Unscored(Reason(data["unscored"]), data.get("detail", ""))
    return Score(data["value"], data["unit"], data["scorer_lock"])


@dataclass(frozen=True, slots=True)
class Quantity:
    """One named value that a metric gives, e.g. ``mos/dnsmos_ovrl``."""

    name: str
    unit: str
    direction: Direction
    low: float | None = None
    high: float | None = None
    """Range that values lie in, where there is one."""


@dataclass(frozen=True, slots=True)
class MetricInfo:
    """What a metric is: the one place its facts are written; tables and docs are made from it."""

    family: str
    """What a job's ``score`` list names, e.g. ``dnsmos``."""
    title: str
    quantities: tuple[Quantity, ...]
    licence: str
    source: str
    """Paper or specification."""
    needs_speech: bool = True
    """A clip in which no speech is found is ``Unscored(no_speech)``; silence must not earn a good grade."""
    needs_text: bool = False
    needs_reference: bool = False
    languages: tuple[str, ...] | None = None
    """Languages covered, as BCP 47 primary subtags; ``None``: does not depend on language."""
    deadline_s: float = 60.0
    """Longer than this for one clip and the value is ``Unscored(scorer_timeout)``."""
    default: bool = True
    """Measured when a job asks for ``score: true``."""

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(q.name for q in self.quantities)
