"""What a metric is: the protocol that every family implements and the metric suite tests.

A metric lives in a metric host (services/scorer/metrics/host.py), a process of its own, so that one which crashes or
hangs costs its own score and nothing else. It knows nothing of jobs, stores or MLflow.
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
from shared.scores import MetricInfo, Reason, Unscored

Samples = npt.NDArray[np.float32]
"""Mono, in [-1, 1], shape (n,)."""

Reading = float | Unscored
"""What a metric says of one quantity. Its unit and its lock are added by the panel, in one place."""

LONGEST_S = 300.0
"""Longer clips are not shown to models that take long: on a busy machine they would not be done within the deadline."""

T = TypeVar("T")


class WeightsMismatch(RingtrueError):
    """What is pinned is there and cannot be used: its bytes are not the pinned ones (the message gives both hashes), or
    it is not whole, or another kind of model (the message gives the pin's name)."""


@dataclass(frozen=True, eq=False)
class Clip:
    """What is measured: samples that nobody may write to, and what is known of them.

    ``cost`` is what the worker measured while speaking: queue_s, speak_s, rtf, peak_rss_mb, peak_vram_mb.
    """

    samples: Samples
    sample_rate: int
    text: str | None = None
    language: str | None = None
    """BCP 47 tag."""
    reference: Clip | None = None
    """The voice that it should sound like; nothing but samples and their rate is known of it."""
    emotion: str | None = None
    """How it should sound: a canonical emotion or one of the engine's own; ``None`` where the job names none."""
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
        cost: Mapping[str, float] | None = None,
    ) -> Clip:
        """The clip of some PCM: full scale of 16 bits is 1."""
        samples = np.asarray(np.frombuffer(audio.pcm, dtype="<i2") / 32768, np.float32)
        samples.setflags(write=False)
        voice = None if reference is None else cls.of(reference)
        return cls(samples, audio.sample_rate, text, language, voice, emotion, dict(cost or {}))

    @property
    def primary_language(self) -> str:
        """The first subtag of ``language`` in lower case: ``zh`` of zh-Hans-CN; empty where no language is known."""
        return (self.language or "").split("-")[0].lower()

    @property
    def duration_s(self) -> float:
        return len(self.samples) / self.sample_rate

    @cached_property
    def at_16k(self) -> Samples:
        """The samples at 16 kHz, which most models ask for; resampled once for all metrics (soxr, HQ).

        The length is rounded up and what is missing is zero, as librosa does it: DNSMOS repeats a short clip, and one
        sample more or less at the joint moves it by up to 0.2.
        """
        if self.sample_rate == 16_000:
            return self.samples
        resampled = soxr.resample(self.samples, self.sample_rate, 16_000)
        samples = np.zeros(math.ceil(len(self.samples) * 16_000 / self.sample_rate), np.float32)
        filled = min(len(samples), len(resampled))
        samples[:filled] = np.clip(resampled[:filled], -1, 1)
        samples.setflags(write=False)
        return samples

    def once(self, name: str, find: Callable[[Clip], T]) -> T:
        """What ``find`` finds in this clip, found once for all metrics that ask by the same ``name``."""
        if name not in self._found:
            self._found[name] = find(self)
        return cast(T, self._found[name])


def too_long(clip: Clip, longest_s: float = LONGEST_S) -> Unscored | None:
    """Why a clip is not shown to a model that is given ``longest_s`` seconds at most, if so."""
    if clip.duration_s <= longest_s:
        return None
    return Unscored(Reason.TOO_LONG, f"{clip.duration_s:.0f} s; at most {longest_s:g} s are measured")


class Metric(Protocol):
    """Measures one family of quantities. Constructing does nothing costly; ``load`` does."""

    info: MetricInfo

    def lock(self) -> Mapping[str, Any]:
        """What decides the values: hashes of weights, library versions, our own parameters. Works before ``load``.

        Its hash (shared.catalog.lock_sha256) is stamped on every score; scores of different locks are not compared.
        """

    def load(self) -> None:
        """Bring models into memory.

        `FileNotFoundError` where weights are not there, `WeightsMismatch` where they are not the pinned ones,
        `FilesWrong` where a pin of the catalog is not in the store as its lock says; all three end as
        ``Unscored(model_not_pulled)``.
        """

    def measure(self, clip: Clip) -> Mapping[str, Reading]:
        """A reading per name in ``info.names``: all of them, except costs that the worker did not measure.

        Speech, text, reference and language that ``info`` asks for have been checked before.
        """
