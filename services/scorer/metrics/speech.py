"""Finds the speech in a clip.

Owns the speech detector (Silero VAD, its ONNX file run directly) and the rule that turns its frames into stretches.
Metrics that must not grade silence or noise get a clip only after this check.

Measured on the clips of tests/data/speech: every frame of white noise and of silence stays below 0.03, every spoken
clip reaches 0.99 (tests/scorer/metrics/test_speech.py).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from services.scorer.metrics.base import MeasuredClip, Samples

RATE = 16_000
FRAME = 512
_CONTEXT = 64
"""Samples of the previous frame that the model sees again."""

ENTER, LEAVE = 0.5, 0.35
"""Speech begins above the first probability and ends below the second (Silero's own defaults)."""
SHORTEST_PAUSE_S = 0.1
SHORTEST_SPEECH_S = 0.1
"""Seconds. Less speech than this in the whole clip counts as none: a word takes longer."""

PARAMETERS = {"enter": ENTER, "leave": LEAVE, "pause_s": SHORTEST_PAUSE_S, "speech_s": SHORTEST_SPEECH_S}


@dataclass(frozen=True, slots=True)
class Speech:
    """Stretches of speech as (start, end) in seconds, in order. They include pauses shorter than `SHORTEST_PAUSE_S`."""

    stretches: tuple[tuple[float, float], ...]

    @property
    def duration_s(self) -> float:
        return sum(end - start for start, end in self.stretches)

    @property
    def longest_pause_s(self) -> float:
        """Longest pause between two stretches, in seconds. Silence before and after all speech is no pause."""
        ends = [end for _, end in self.stretches[:-1]]
        starts = [start for start, _ in self.stretches[1:]]
        return max((start - end for end, start in zip(ends, starts, strict=True)), default=0.0)

    def select(self, samples: Samples, sample_rate: int) -> Samples:
        """Return the spoken samples alone, joined."""
        parts = [samples[round(start * sample_rate) : round(end * sample_rate)] for start, end in self.stretches]
        return np.concatenate(parts) if parts else samples[:0]


class SpeechDetector:
    """Runs the model. ``session`` is the ONNX session of silero_vad.onnx."""

    def __init__(self, session: Any) -> None:
        self._session = session

    def probabilities(self, samples: Samples) -> npt.NDArray[np.float32]:
        """Return the probability of speech per frame of 32 ms, shape (ceil(n / 512),), for samples at 16 kHz."""
        padded = np.pad(samples, (_CONTEXT, -len(samples) % FRAME))
        state = np.zeros((2, 1, 128), np.float32)
        rate = np.array(RATE)
        found = []
        for start in range(0, len(padded) - _CONTEXT, FRAME):
            frame = padded[None, start : start + _CONTEXT + FRAME]
            probability, state = self._session.run(None, {"input": frame, "state": state, "sr": rate})
            found.append(probability[0, 0])
        return np.array(found, np.float32)

    def find(self, clip: MeasuredClip) -> Speech:
        """Return the speech in ``clip``. Too little of it counts as none."""
        return clip.once("speech", self._find)

    def _find(self, clip: MeasuredClip) -> Speech:
        stretches = tuple(_stretches(self.probabilities(clip.at_16k), clip.duration_s))
        speech = Speech(stretches)
        return speech if speech.duration_s >= SHORTEST_SPEECH_S else Speech(())


def _stretches(probabilities: npt.NDArray[np.float32], duration_s: float) -> Iterator[tuple[float, float]]:
    start: float | None = None
    end = 0.0
    for index, probability in enumerate(probabilities):
        at = index * FRAME / RATE
        if start is not None and at - end >= SHORTEST_PAUSE_S and probability < LEAVE:
            yield start, end
            start = None
        if probability >= (ENTER if start is None else LEAVE):
            start = at if start is None else start
            end = min(at + FRAME / RATE, duration_s)
    if start is not None:
        yield start, end
