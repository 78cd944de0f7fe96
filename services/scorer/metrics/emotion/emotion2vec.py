"""emotion2vec+, a classifier of emotions that FunASR runs.

Owns what it is asked. Knows neither FunASR's Python nor an emotion.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from services.scorer.metrics.base import Samples
from services.scorer.metrics.emotion.classes import Heard
from services.scorer.metrics.funasr.package import Funasr
from shared.weights.lock import PinLock

_OPTIONS = {"granularity": "utterance", "extract_embedding": False}


class Emotion2vec:
    """A loaded classifier. ``timeout_s``: for all parts of a clip. Made, it raises what `Funasr.load` raises."""

    def __init__(self, funasr: Funasr, pin: PinLock, folder: Path, timeout_s: float) -> None:
        self._funasr = funasr
        self._timeout_s = timeout_s
        funasr.load(pin, folder)

    def hear(self, parts: Sequence[Samples]) -> list[Heard]:
        """What is heard in each part; ``parts``: samples at 16 kHz. Raises what `Funasr.generate` and `Heard` raise."""
        results = self._funasr.generate(parts, _OPTIONS, self._timeout_s)
        return [Heard(result.get("labels") or (), result.get("scores") or ()) for result in results]
