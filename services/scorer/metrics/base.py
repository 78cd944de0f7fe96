"""What a metric is: the protocol that every family implements and that the metric suite tests.

A metric runs in a metric host (services/scorer/metrics/host.py), a process of its own, so that one that crashes or
hangs costs only its own score. It knows nothing of jobs, stores or MLflow.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Protocol, TypeVar, cast

import numpy as np
import numpy.typing as npt
import soxr  # type: ignore[import-untyped]

from shared.audio import Audio
from shared.errors import RingtrueError
from shared.readings.pronunciation import Pronunciation
from shared.scores import HeardReading, MetricInfo, Reason, Transcript, Unscored

Samples = npt.NDArray[np.float32]
"""Mono, in [-1, 1], shape (n,)."""


@dataclass(frozen=True, slots=True)
class ErrorRate:
    """A share of errors, and what was compared to count them."""

    value: float
    transcript: Transcript


@dataclass(frozen=True, slots=True)
class PronunciationVerdict:
    """The value 1 of a verdict on a pronunciation, and what each recogniser heard."""

    readings: tuple[HeardReading, ...]


Reading = float | ErrorRate | PronunciationVerdict | Unscored
"""What a metric returns for one quantity. The panel adds the unit and the lock, in one place."""

LONGEST_S = 300.0
"""Seconds. Slow models do not get longer clips: on a busy machine they would not finish within the deadline."""

T = TypeVar("T")


class WeightsMismatch(RingtrueError):
    """Pinned weights are present but cannot be used.

    Either their bytes are not the pinned ones (the message gives both hashes), or the model is incomplete or of another
    kind (the message gives the pin's name).
    """


@dataclass(frozen=True, eq=False)
class MeasuredClip:
    """A clip to be measured: read-only samples, and what is known about them.

    ``cost`` is what the worker measured while speaking: queue_s, speak_s, rtf, cpu_s, peak_rss_mb, peak_vram_mb.
    """

    samples: Samples
    sample_rate: int
    text: str | None = None
    language: str | None = None
    """BCP 47 tag."""
    reference: MeasuredClip | None = None
    """The voice that the clip should sound like. Only its samples and their rate are known."""
    emotion: str | None = None
    """How the clip should sound: a canonical emotion or one of the engine's own. ``None`` if the job names none."""
    pronunciation: Pronunciation | None = None
    """What is judged of the text's pronunciation. ``None`` if the job names nothing."""
    cost: Mapping[str, float] = field(default_factory=dict)
    _found: dict[str, Any] = field(default_factory=dict, init=False, repr=False)

    @classmethod
    def of(
        cls,
        audio: Audio,
        *,
        text: str | None = None,
        language: str | None = None,
        reference: Audio | None = None,
        emotion: str | None = None,
        pronunciation: Pronunciation | None = None,
        cost: Mapping[str, float] | None = None,
    ) -> MeasuredClip:
        """Make a clip from PCM. Full scale of 16 bits becomes 1."""
        samples = np.asarray(np.frombuffer(audio.pcm, dtype="<i2") / 32768, np.float32)
        samples.setflags(write=False)
        voice = None if reference is None else cls.of(reference)
        return cls(samples, audio.sample_rate, text, language, voice, emotion, pronunciation, dict(cost or {}))

    @property
    def primary_language(self) -> str:
        """The first subtag of ``language`` in lower case: ``zh`` for zh-Hans-CN. Empty if the language is not known."""
        return (self.language or "").split("-")[0].lower()

    @property
    def duration_s(self) -> float:
        return len(self.samples) / self.sample_rate

    @cached_property
    def at_16k(self) -> Samples:
        """The samples at 16 kHz, which most models need. Resampled once for all metrics (soxr, HQ).

        The length is rounded up and padded with zero, as librosa does it: DNSMOS repeats a short clip, and one sample
        more or
        less at the joint moves its score by up to 0.2.
        """
        if self.sample_rate == 16_000:
            return self.samples
        resampled = soxr.resample(self.samples, self.sample_rate, 16_000)
        samples = np.zeros(math.ceil(len(self.samples) * 16_000 / self.sample_rate), np.float32)
        filled = min(len(samples), len(resampled))
        samples[:filled] = np.clip(resampled[:filled], -1, 1)
        samples.setflags(write=False)
        return samples

    def once(self, name: str, find: Callable[[MeasuredClip], T]) -> T:
        """Return ``find(self)``, computed once for all metrics that use the same ``name``."""
        if name not in self._found:
            self._found[name] = find(self)
        return cast(T, self._found[name])


def too_long(clip: MeasuredClip, longest_s: float = LONGEST_S) -> Unscored | None:
    """Return ``Unscored(too_long)`` if the clip is longer than ``longest_s`` seconds, else None."""
    if clip.duration_s <= longest_s:
        return None
    return Unscored(Reason.TOO_LONG, f"{clip.duration_s:.0f} s; at most {longest_s:g} s can be measured")


class Metric(Protocol):
    """Measures one family of quantities. The constructor must be cheap; `load` does the costly work."""

    info: MetricInfo

    def lock(self) -> Mapping[str, Any]:
        """Return what the values depend on: hashes of weights, library versions, this project's parameters.

        Works before `load`. The hash of the lock (shared.catalog.lock_sha256) is stamped on every score; scores with
        different locks are not compared.
        """

    def load(self) -> None:
        """Bring the models into memory.

        Raises `FileNotFoundError` if weights are missing, `WeightsMismatch` if they are not the pinned ones,
        `FilesWrong` if
        a pin of the catalog is not in the store as its lock says. All three end as ``Unscored(model_not_pulled)``.
        """

    def measure(self, clip: MeasuredClip) -> Mapping[str, Reading]:
        """Return a reading for every name in ``info.names``, except costs that the worker did not measure.

        The caller has checked that the speech, text, reference and language that ``info`` asks for are there.
        """
