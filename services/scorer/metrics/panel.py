"""The metrics of one host, loaded on demand, and the checks that every clip passes before a metric sees it.

Owns these checks (text, language, reference, speech), and how a reading becomes a score with its unit and its lock.
Knows no pipe and no deadline: the host and its parent have those.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from importlib import import_module
from typing import Any, cast

from services.scorer.metrics.base import (
    ErrorRate,
    MeasuredClip,
    Metric,
    PronunciationVerdict,
    Reading,
    WeightsMismatch,
)
from services.scorer.metrics.instruments import Instruments
from shared.catalog import lock_sha256
from shared.scores import MetricInfo, Quantity, Reason, Score, Scored, Unscored
from shared.weights.errors import FilesWrong


class MetricUnavailable(Exception):
    """A metric cannot be loaded. ``why`` is recorded for each of its values."""

    def __init__(self, why: Unscored) -> None:
        super().__init__(why.detail)
        self.why = why


def build(info: MetricInfo, instruments: Instruments) -> Metric:
    """Return the metric with these facts, not loaded."""
    module, name = info.code.split(":")
    return cast(Metric, getattr(import_module(module), name)(instruments))


class Panel:
    """Measures clips. ``families`` is the table; a family that is not in it raises `KeyError`."""

    def __init__(self, families: Mapping[str, MetricInfo], instruments: Instruments) -> None:
        self._families = families
        self._instruments = instruments
        self._loaded: dict[str, tuple[Metric, Mapping[str, Any]]] = {}

    def load(self, family: str) -> Mapping[str, Any]:
        """Load a metric and all that it needs. Return its lock.

        Raises `MetricUnavailable` if that fails, now or for good. A metric whose weights are missing is tried again at
        the next call, because they may have been pulled since.
        """
        if family not in self._loaded:
            info = self._families[family]
            try:
                metric = build(info, self._instruments)
                metric.load()
                if metric.info.needs_speech:
                    _ = self._instruments.speech
                self._loaded[family] = (metric, metric.lock())
            except (FileNotFoundError, WeightsMismatch, FilesWrong) as error:
                raise MetricUnavailable(Unscored(Reason.MODEL_NOT_PULLED, str(error))) from error
            except Exception as error:  # the seam: an error of a model library costs only this family
                raise MetricUnavailable(_failed(error)) from error
        return self._loaded[family][1]

    def measure(self, family: str, clip: MeasuredClip) -> dict[str, Scored]:
        """Return a score or a reason for each name of the family. Names that do not apply to this clip are left out."""
        try:
            lock = lock_sha256(self.load(family))
        except MetricUnavailable as unavailable:
            return dict.fromkeys(self._families[family].names, unavailable.why)
        metric, _ = self._loaded[family]
        try:
            obstacle = self._obstacle(metric.info, clip)
            readings = dict.fromkeys(metric.info.names, obstacle) if obstacle else metric.measure(clip)
        except Exception as error:  # the seam, as above
            readings = dict.fromkeys(metric.info.names, _failed(error))
        return {q.name: _scored(readings[q.name], q, lock) for q in metric.info.quantities if q.name in readings}

    def _obstacle(self, info: MetricInfo, clip: MeasuredClip) -> Unscored | None:
        """Return why this metric does not get the clip, or None. The cheapest check comes first."""
        if info.needs_text and not (clip.text or "").strip():
            return Unscored(Reason.NEEDS_TEXT)
        if info.needs_reference and clip.reference is None:
            return Unscored(Reason.NEEDS_REFERENCE, "the job names no reference voice, or the recording was removed")
        if info.needs_pronunciation and clip.pronunciation is None:
            return Unscored(Reason.NEEDS_PRONUNCIATION, "the job does not say how its text is pronounced")
        if info.languages is not None and clip.primary_language not in info.languages:
            return Unscored(
                Reason.LANGUAGE_NOT_COVERED, f"{clip.language or 'unknown'}; covers {', '.join(info.languages)}"
            )
        if info.needs_speech and not (len(clip.samples) and self._instruments.speech.find(clip).stretches):
            return Unscored(Reason.NO_SPEECH, "no speech was found in this clip")
        return None


def _failed(error: Exception) -> Unscored:
    return Unscored(Reason.SCORER_ERROR, f"{type(error).__name__}: {error}")


def _scored(reading: Reading, quantity: Quantity, lock: str) -> Scored:
    if isinstance(reading, Unscored):
        return reading
    if isinstance(reading, PronunciationVerdict):
        return Score(1.0, quantity.unit, lock, readings=reading.readings)
    value, transcript = (reading.value, reading.transcript) if isinstance(reading, ErrorRate) else (reading, None)
    if not math.isfinite(value):
        return Unscored(Reason.SCORER_ERROR, f"the metric returned {value}")
    return Score(value, quantity.unit, lock, transcript)
