"""The family ``cost``: what the speaking cost, as the worker measured it.

Owns nothing but the names. A cost that was not measured (no GPU, no memory reading) is left out: it is not a value
that failed.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from services.scorer.metrics.base import MeasuredClip, Reading
from services.scorer.metrics.instruments import Instruments
from services.scorer.metrics.locks import scorer_lock
from shared import metrics


class Cost:
    """cost/queue_s, speak_s, rtf, cpu_s, peak_rss_mb and peak_vram_mb, as far as they are known."""

    info = metrics.COST

    def __init__(self, instruments: Instruments) -> None:
        del instruments

    def lock(self) -> Mapping[str, Any]:
        return scorer_lock("cost", revision=1)

    def load(self) -> None:
        """Nothing to load."""

    def measure(self, clip: MeasuredClip) -> Mapping[str, Reading]:
        return {f"cost/{name}": float(value) for name, value in clip.cost.items() if f"cost/{name}" in self.info.names}
