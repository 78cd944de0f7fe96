"""What a metric is: the protocol that every family implements and the metric suite tests.

A metric lives in a metric host (services/scorer/metrics/host.py), a process of its own, so that one which crashes or
hangs costs its own score and nothing else. It knows nothing of jobs, stores or MLflow.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Protocol

import numpy as np
import numpy.typing as npt
import soxr

from shared.scores import MetricInfo, Scored

Samples = npt.NDArray[np.float32]


@dataclass(frozen=True)
class Clip:
    """What is measured: mono float32 samples in [-1, 1], shape (n,), and what is known of them.

    ``cost`` is what the worker measured while speaking: queue_s, speak_s, rtf, peak_rss_mb, peak_vram_mb.
    """

    samples: Samples
    sample_rate: int
    text: str | None = None
    language: str | None = None
    """BCP 47 tag."""
    reference: Samples | None = None
    cost: Mapping[str, float] = field(default_factory=dict)

    @property
    def duration_s(self) -> float:
        return len(self.samples) / self.sample_rate

    @cached_property
    def at_16k(self) -> Samples:
        """The samples at 16 kHz, which most models ask for; resampled once for all metrics (soxr, HQ)."""
        if self.sample_rate == 16_000:
            return self.samples
        return np.ascontiguousarray(soxr.resample(self.samples, self.sample_rate, 16_000), dtype=np.float32)


class Metric(Protocol):
    """Measures one family of quantities."""

    info: MetricInfo

    def lock(self) -> str:
        """SHA-256 over what decides the values: weights, library versions that matter, our own parameters."""

    def load(self) -> None:
        """Bring models into memory. `FileNotFoundError` where weights are not there: ``Unscored(model_not_pulled)``."""

    def measure(self, clip: Clip) -> Mapping[str, Scored]:
        """A score or the reason for its absence per name in ``info.names``, all of them.

        Speech, text, reference and language that ``info`` asks for have been checked before.
        """
