"""The clips of tests/data/speech, and what is known of them."""

from __future__ import annotations

import json
import wave
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import soxr  # type: ignore[import-untyped]

from services.scorer.metrics.base import MeasuredClip
from shared.audio import Audio

FOLDER = Path(__file__).parents[2] / "data" / "speech"


@dataclass(frozen=True)
class Known:
    """One clip with its text, and what the reference implementations say of it."""

    name: str
    audio: Audio
    text: str | None
    reference: dict[str, Any]

    @property
    def language(self) -> str:
        return self.name.split("_")[0]

    def clip(self, audio: Audio | None = None, reference: Audio | None = None) -> MeasuredClip:
        """The clip, or other audio with the same text; ``reference``: the voice that it should sound like."""
        return MeasuredClip.of(audio or self.audio, text=self.text, language=self.language, reference=reference)


def _audio(path: Path) -> Audio:
    with wave.open(str(path)) as file:
        return Audio(file.readframes(file.getnframes()), file.getframerate())


def _known() -> dict[str, Known]:
    references = json.loads((FOLDER / "reference_scores.json").read_text())
    return {
        name.removesuffix(".wav"): Known(name.removesuffix(".wav"), _audio(FOLDER / name), facts["text"], facts)
        for name, facts in references.items()
    }


KNOWN = _known()
SPOKEN = [known for known in KNOWN.values() if known.text is not None]


def hum() -> Audio:
    """Two quiet seconds of what a power supply sounds like."""
    samples = 300 * np.sin(2 * np.pi * 50 * np.arange(48_000) / 24_000)
    return Audio(samples.astype("<i2").tobytes(), 24_000)


def resampled(audio: Audio, sample_rate: int) -> Audio:
    """The same sound at another rate."""
    samples = np.frombuffer(audio.pcm, dtype="<i2").astype(np.float64)
    changed = np.clip(np.round(soxr.resample(samples, audio.sample_rate, sample_rate)), -32768, 32767)
    return Audio(changed.astype("<i2").tobytes(), sample_rate)
