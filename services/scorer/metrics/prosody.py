"""The family ``prosody``: how a clip is spoken. Pitch, its range, energy, rate.

Owns the measuring rules below. Knows no ideal: these values describe.

- pitch: DIO with StoneMask (WORLD) at 16 kHz, 50 to 600 Hz, every 10 ms; median over voiced frames. Harvest, WORLD's
  other estimator, is steadier in noise, but fills unvoiced gaps with interpolated pitch and is slower by more than an
  order of magnitude; synthesisers speak without noise, and there the medians agree.
- range: from the 5th to the 95th percentile of the voiced frames, in semitones, so that single octave errors do not
  count.
- energy: RMS over the speech alone, in dB of full scale, so that pauses do not count.
- rate: syllables of the text per second of speech, without pauses of 0.1 s and more. A syllable is a Chinese
  character, a kana or a Hangul block; in other scripts a group of vowel letters, and every word has at least one. This
  is an estimate, but the same one for two versions that speak the same text, which is what it is compared for.

Sample rate and silence at the end change each of them by up to 0.1 of its unit
(tests/scorer/metrics/test_invariance.py).
"""

from __future__ import annotations

import math
import re
import unicodedata
from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from services.scorer.metrics import speech
from services.scorer.metrics.base import MeasuredClip, Reading
from services.scorer.metrics.instruments import Instruments
from services.scorer.metrics.locks import scorer_lock
from services.scorer.pyworld_f0 import f0, world
from shared import metrics
from shared.scores import Reason, Unscored
from shared.values.text import in_form

LOWEST_HZ, HIGHEST_HZ = 50.0, 600.0
FRAME_MS = 10.0
FEWEST_VOICED = 5
"""With fewer voiced frames (50 ms) a median says nothing."""

_SYLLABIC = re.compile(r"[぀-ヿ㐀-䶿一-鿿豈-﫿가-힯]")
_WORD = re.compile(r"[^\W_]+")
_VOWELS = re.compile(r"[aeiouyæøœıаеиоуыэюяєіїαεηιουω]+")


class Prosody:
    """The family ``prosody``."""

    info = metrics.PROSODY

    def __init__(self, instruments: Instruments) -> None:
        self._instruments = instruments
        self._world: Any = None

    def lock(self) -> Mapping[str, Any]:
        return scorer_lock(
            "prosody",
            revision=1,
            packages=("pyworld", "silero-vad", "onnxruntime", "soxr"),
            parameters={
                "f0_hz": [LOWEST_HZ, HIGHEST_HZ],
                "frame_ms": FRAME_MS,
                "fewest_voiced": FEWEST_VOICED,
                "speech": speech.PARAMETERS,
            },
        )

    def load(self) -> None:
        self._world = world()

    def measure(self, clip: MeasuredClip) -> Mapping[str, Reading]:
        found = self._instruments.speech.find(clip)
        spoken = found.select(clip.at_16k, speech.RATE).astype(np.float64)
        power = float(np.mean(spoken**2))
        median, semitones = _pitch(self._voiced_hz(clip))
        return {
            "prosody/f0_median_hz": median,
            "prosody/f0_range_st": semitones,
            "prosody/energy_db": 10 * math.log10(power) if power else Unscored(Reason.NO_SPEECH, "digital silence"),
            "prosody/rate_per_s": _rate(clip.text, found.duration_s),
        }

    def _voiced_hz(self, clip: MeasuredClip) -> npt.NDArray[np.float64]:
        samples = clip.at_16k.astype(np.float64)
        pitch, _ = f0(self._world, samples, speech.RATE, (LOWEST_HZ, HIGHEST_HZ), FRAME_MS)
        return pitch[pitch > 0]


def _pitch(voiced_hz: npt.NDArray[np.float64]) -> tuple[Reading, Reading]:
    """Return the median in Hz and the range in semitones."""
    if len(voiced_hz) < FEWEST_VOICED:
        nothing = Unscored(Reason.TOO_SHORT, f"{len(voiced_hz) * FRAME_MS:g} ms of voice; a pitch needs 50 ms")
        return nothing, nothing
    low, median, high = np.percentile(voiced_hz, (5, 50, 95))
    return float(median), float(12 * np.log2(high / low))


def _rate(text: str | None, speech_s: float) -> Reading:
    if not text or not (count := syllables(text)):
        return Unscored(Reason.NEEDS_TEXT, "the rate counts the syllables of the text")
    return count / speech_s


def syllables(text: str) -> int:
    """Return the number of syllables of ``text``, by the rule of this module."""
    text = in_form("NFKC", text).lower()
    whole = len(_SYLLABIC.findall(text))
    rest = "".join(c for c in in_form("NFD", _SYLLABIC.sub(" ", text)) if not unicodedata.combining(c))
    return whole + sum(max(1, len(_VOWELS.findall(word))) for word in _WORD.findall(rest))
