"""Compares a clip with its reference voice, for any encoder.

Owns which part of a recording is used (the speech and a little around it), how much of it is needed, and the cosine.
Knows no encoder. Nothing is cached between clips: a user can withdraw a reference voice, and its embedding would stay.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from services.scorer.metrics import speech
from services.scorer.metrics.base import MeasuredClip, Reading, Samples
from services.scorer.metrics.speech import SpeechDetector
from shared.scores import Reason, Unscored

MARGIN_S = 0.1
"""Seconds kept on both sides of every stretch of speech: about what the package keeps, which uses another detector."""
SHORTEST_S = 1.6
"""Seconds of speech, margins included, that both recordings need: the window that Resemblyzer looks at.

With less, the rest of that window would be silence, and the voice would be less similar to itself
(tests/scorer/metrics/test_speaker.py).
"""

PARAMETERS = {"margin_s": MARGIN_S, "shortest_s": SHORTEST_S, "speech": speech.PARAMETERS}
PACKAGES = ("torch", "silero-vad", "onnxruntime", "soxr", "numpy")

Embed = Callable[[Samples], Any]
"""Turns speech at 16 kHz into a vector."""


def similarity(clip: MeasuredClip, detector: SpeechDetector, embed: Embed) -> Reading:
    """Return the cosine between the vectors of the clip and of its reference voice.

    Unscored if one of them has no speech, or less than `SHORTEST_S`.
    """
    assert clip.reference is not None, "a clip without a reference is not shown to a metric that needs one"
    pair = [spoken(clip, detector), spoken(clip.reference, detector)]
    for samples, whose in zip(pair, ("this clip", "its reference voice"), strict=True):
        if not len(samples):
            return Unscored(Reason.NO_SPEECH, f"no speech was found in {whose}")
        if len(samples) < SHORTEST_S * speech.RATE:
            seconds = len(samples) / speech.RATE
            return Unscored(
                Reason.TOO_SHORT, f"{seconds:.1f} s of speech in {whose}; at least {SHORTEST_S:g} s are required"
            )
    one, other = (embed(samples).astype(np.float64) for samples in pair)
    return float(np.clip(one @ other / (np.linalg.norm(one) * np.linalg.norm(other)), -1, 1))


def spoken(clip: MeasuredClip, detector: SpeechDetector) -> Samples:
    """Return the speech in ``clip`` with `MARGIN_S` around each stretch, without the pauses. Samples at 16 kHz."""
    samples, parts, done = clip.at_16k, [], 0
    for start_s, end_s in detector.find(clip).stretches:
        start = max(done, round((start_s - MARGIN_S) * speech.RATE))
        done = round((end_s + MARGIN_S) * speech.RATE)
        parts.append(samples[start:done])
    return np.concatenate(parts) if parts else samples[:0]
