"""emotion2vec+, an emotion classifier that FunASR runs.

Owns the options of its calls. Knows neither FunASR's Python nor an emotion.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from services.scorer.metrics.base import Samples
from services.scorer.metrics.emotion.classes import EmotionScores
from services.scorer.metrics.funasr.package import Funasr
from shared.weights.lock import PinLock

_OPTIONS = {"granularity": "utterance", "extract_embedding": False}


class Emotion2vec:
    """A loaded classifier. ``timeout_s`` is for all parts of a clip. The constructor raises the same as
    `Funasr.load`."""

    def __init__(self, funasr: Funasr, pin: PinLock, folder: Path, timeout_s: float) -> None:
        self._funasr = funasr
        self._timeout_s = timeout_s
        funasr.load(pin, folder)

    def hear(self, parts: Sequence[Samples]) -> list[EmotionScores]:
        """Return what is heard in each part. ``parts``: samples at 16 kHz.

        Raises the same errors as `Funasr.generate` and `EmotionScores`.
        """
        results = self._funasr.generate(parts, _OPTIONS, self._timeout_s)
        return [EmotionScores(result.get("labels") or (), result.get("scores") or ()) for result in results]
