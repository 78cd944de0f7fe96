"""Scores, and unscored values with their reasons.

Owns the words `score`, `unscored` and `metric`. Knows no metric: those are in services/scorer/metrics.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from shared.values.members import known


class Reason(StrEnum):
    """Why a value could not be measured. It is never zero, and never enters a mean."""

    NO_SPEECH = "no_speech"
    TOO_SHORT = "too_short"
    TOO_LONG = "too_long"
    LANGUAGE_NOT_COVERED = "language_not_covered"
    CLASS_NOT_COVERED = "class_not_covered"
    NEEDS_REFERENCE = "needs_reference"
    NEEDS_TEXT = "needs_text"
    NEEDS_PRONUNCIATION = "needs_pronunciation"
    MODEL_NOT_PULLED = "model_not_pulled"
    SCORER_ERROR = "scorer_error"
    SCORER_TIMEOUT = "scorer_timeout"
    NOT_SPOKEN = "not_spoken"  # the job ended without audio


class Direction(StrEnum):
    """Which values are better."""

    HIGHER = "higher"
    LOWER = "lower"
    NEUTRAL = "neutral"  # describes, does not judge


@dataclass(frozen=True, slots=True)
class Transcript:
    """What a recogniser heard, and what was compared to count its errors."""

    heard: str
    """The transcript as the recogniser wrote it."""
    text_counted: str
    """The text as it was compared: words, or characters without blanks between."""
    heard_counted: str
    """The transcript as it was compared."""

    def to_json(self) -> dict[str, str]:
        return {"heard": self.heard, "text_counted": self.text_counted, "heard_counted": self.heard_counted}


@dataclass(frozen=True, slots=True)
class HeardReading:
    """Which of the readings that it was given a recogniser heard."""

    recogniser: str
    reading: str
    """The likeliest of all."""
    right: bool
    """Whether it is one of the right readings."""
    margin: float
    """Nats by which it is likelier than the likeliest reading of the other kind; 0 or more."""

    def to_json(self) -> dict[str, Any]:
        return {"recogniser": self.recogniser, "reading": self.reading, "right": self.right, "margin": self.margin}


@dataclass(frozen=True, slots=True)
class Score:
    """One measured, finite value in ``unit``. ``scorer_lock`` is the lock of the scorer that measured it.

    ``transcript``: only of a value that compares a text with a transcript. ``readings``: only of a verdict on a
    pronunciation, by recogniser.
    """

    value: float
    unit: str
    scorer_lock: str
    transcript: Transcript | None = None
    readings: tuple[HeardReading, ...] = ()

    def __post_init__(self) -> None:
        if not math.isfinite(self.value):
            raise ValueError(f"a score must be a finite number (found {self.value})")

    def to_json(self) -> dict[str, Any]:
        compared: dict[str, Any] = {} if self.transcript is None else {"transcript": self.transcript.to_json()}
        if self.readings:
            compared["readings"] = [one.to_json() for one in self.readings]
        return {"value": self.value, "unit": self.unit, "scorer_lock": self.scorer_lock, **compared}


@dataclass(frozen=True, slots=True)
class Unscored:
    """A value that could not be measured, and the reason. ``detail`` is for people."""

    reason: Reason
    detail: str = ""

    def to_json(self) -> dict[str, Any]:
        return {"unscored": self.reason.value, **({"detail": self.detail} if self.detail else {})}


Scored = Score | Unscored
_FAMILY = re.compile(r"[a-z][a-z0-9_]*")
_QUANTITY = re.compile(r"[a-z0-9][a-z0-9_.-]*/[a-z0-9][a-z0-9_.-]*")
_CODE = re.compile(r"[\w.]+:\w+")
_REASONS = frozenset(reason.value for reason in Reason)


def scored_from_json(data: Mapping[str, Any]) -> Scored:
    """Return the score or unscored value that ``to_json`` wrote. What this version cannot read becomes unscored."""
    if "unscored" in data:
        detail = data.get("detail", "")
        if data["unscored"] not in _REASONS:
            return Unscored(Reason.SCORER_ERROR, f"unknown reason {data['unscored']} (of another version): {detail}")
        return Unscored(Reason(data["unscored"]), detail)
    if "value" not in data:
        return Unscored(Reason.SCORER_ERROR, "this version cannot read the value")
    heard = tuple(HeardReading(**known(HeardReading, one)) for one in data.get("readings", ()))
    transcript = _transcript(data.get("transcript"))
    return Score(data["value"], data.get("unit", ""), data.get("scorer_lock", ""), transcript, heard)


def _transcript(data: Mapping[str, str] | None) -> Transcript | None:
    """Read a transcript. A member that this version does not find is empty."""
    if data is None:
        return None
    return Transcript(data.get("heard", ""), data.get("text_counted", ""), data.get("heard_counted", ""))


@dataclass(frozen=True, slots=True)
class Quantity:
    """One named value that a metric returns, e.g. ``mos/dnsmos_ovrl``."""

    name: str
    unit: str
    direction: Direction
    low: float | None = None
    high: float | None = None
    """Range of the values, ``low`` to ``high``; None where it has no end."""

    def __post_init__(self) -> None:
        if not isinstance(self.direction, Direction):
            raise ValueError(f"{self.name} has the direction {self.direction!r}, which is no Direction")


@dataclass(frozen=True, slots=True)
class MetricInfo:
    """The facts of a metric. They are written only here; tables and docs are made from them.

    Raises `ValueError` for facts that no service could work with.
    """

    family: str
    """The name that a job's ``score`` list uses, e.g. ``dnsmos``."""
    title: str
    quantities: tuple[Quantity, ...]
    licence: str
    source: str
    """Paper or specification."""
    code: str
    """``module:class`` of the metric, which takes the host's `Instruments`. Only a metric host imports it."""
    needs_speech: bool = True
    """Whether a clip without speech is ``Unscored(no_speech)``, so that silence does not earn a good score."""
    needs_text: bool = False
    needs_reference: bool = False
    needs_pronunciation: bool = False
    """Whether it judges the readings of a job. By default, jobs that name none have no such values at all. A job that
    names the family without readings gets ``Unscored(needs_pronunciation)``."""
    languages: tuple[str, ...] | None = None
    """Languages covered, as BCP 47 primary subtags; ``None`` if the metric does not depend on the language."""
    deadline_s: float = 60.0
    """Seconds for one clip; after that the value is ``Unscored(scorer_timeout)``."""
    default: bool = True
    """Whether it is measured when a job asks for ``score: true``."""
    where_pulled: bool = False
    """Its weights have to be pulled. By default it is measured only where they are, and elsewhere has no values at
    all. A job that names the family gets ``Unscored(model_not_pulled)`` there."""

    def __post_init__(self) -> None:
        if not _FAMILY.fullmatch(self.family):
            raise ValueError(f"a family has a name such as dnsmos, not {self.family!r}")
        for name in self.names:
            if not _QUANTITY.fullmatch(name):
                raise ValueError(f"a value has a name such as mos/utmos, not {name!r}")
        if not self.quantities or len(set(self.names)) < len(self.names):
            raise ValueError(f"{self.family} needs values, each with a name of its own")
        if not all((self.title, self.licence, self.source)):
            raise ValueError(f"{self.family} needs a title, a licence and a source")
        if not _CODE.fullmatch(self.code):
            raise ValueError(f"the code of {self.family} is module:class, not {self.code!r}")
        if isinstance(self.languages, str) or not 0 < self.deadline_s < math.inf:
            raise ValueError(f"{self.family} needs a tuple of languages, or none, and a deadline in seconds")
        if self.where_pulled and not self.default:
            raise ValueError(f"{self.family} is not measured by default, so not where it is pulled either")

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(q.name for q in self.quantities)
