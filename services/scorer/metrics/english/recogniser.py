"""Transcribes a clip in US English.

Owns pocketsphinx and what it needs to hear synthetic speech: the clip from the first speech to the last, seeded
dither, and a short silence on both sides. Knows no text to compare with: the language model is the open one of the
wheel, so it does not know what to expect.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pocketsphinx  # type: ignore[import-untyped]

from services.scorer.metrics import speech
from services.scorer.metrics.base import MeasuredClip, Samples
from services.scorer.metrics.instruments import Instruments
from services.scorer.metrics.locks import folder_sha256
from services.scorer.metrics.speech import SpeechDetector

RATE = 16_000
DITHER = 0.001
"""Standard deviation of the added noise; full scale is 1.

Digital silence between synthetic words is unlike anything that the acoustic model was trained on and causes errors.
This much noise is not audible.
"""
ROOM_S = 0.3
"""Seconds of dithered silence before and after the speech.

The clip's own silence is cut off: the decoder subtracts the mean spectrum of all its input, and a second of silence in
it costs words.
"""
MARGIN_S = 0.1
"""Seconds kept before the first and after the last speech: the detector may miss the hiss that a word begins or ends
with."""

DECODER: Mapping[str, object] = {
    "samprate": RATE,
    "cmn": "batch",
    "fwdflat": False,
    "maxhmmpf": 5_000,
    "wbeam": 1e-20,
    "lpbeam": 1e-38,
}
"""One pass instead of two, a sixth of the hypotheses, and fewer of those that end a word.

These settings recognise as many words as the published ones in half the time, and another sample rate or silence at the
end changes their result less (``python -m benchmarks.evidence.recognition``).
"""

REVISION = 2
"""2: earlier clips no longer change the transcript."""
PARAMETERS = {
    "revision": REVISION,
    "dither": DITHER,
    "room_s": ROOM_S,
    "margin_s": MARGIN_S,
    **DECODER,
    "speech": speech.PARAMETERS,
}
PACKAGES = ("pocketsphinx", "silero-vad", "onnxruntime", "soxr", "numpy")


class Recogniser:
    """One decoder, made at its first use. Not thread-safe."""

    def __init__(self, detector: SpeechDetector, settings: Mapping[str, object] = DECODER) -> None:
        self._detector = detector
        self._settings = settings
        self._decoder: Any = None

    def model_sha256(self) -> str:
        """Return a hash over the acoustic model, the language model and the dictionary."""
        return folder_sha256(Path(pocketsphinx.get_model_path("en-us")))

    def load(self) -> None:
        """Read the models into memory."""
        if self._decoder is None:
            self._decoder = pocketsphinx.Decoder(**self._settings, loglevel="FATAL")

    def transcript(self, clip: MeasuredClip) -> str:
        """Return lower-case words; empty if nothing is recognised. The same samples give the same words."""
        return clip.once("transcript", self._transcribe)

    def _transcribe(self, clip: MeasuredClip) -> str:
        self.load()
        pcm = prepared(clip, self._detector)
        self._decoder.reinit_feat()  # otherwise earlier clips would change how this one is heard
        self._decoder.start_utt()
        self._decoder.process_raw(pcm, no_search=False, full_utt=True)
        self._decoder.end_utt()
        hypothesis = self._decoder.hyp()
        return "" if hypothesis is None else str(hypothesis.hypstr)


def prepared(clip: MeasuredClip, detector: SpeechDetector) -> bytes:
    """Return what pocketsphinx is given of a clip: 16-bit PCM at `RATE`."""
    heard = np.pad(_spoken(clip, detector), round(ROOM_S * RATE)).astype(np.float64)
    heard += DITHER * np.random.default_rng(0).standard_normal(len(heard))
    return (np.clip(heard, -1, 1) * 32767).astype("<i2").tobytes()


def _spoken(clip: MeasuredClip, detector: SpeechDetector) -> Samples:
    stretches = detector.find(clip).stretches
    start = max(0.0, stretches[0][0] - MARGIN_S) if stretches else 0.0
    end = stretches[-1][1] + MARGIN_S if stretches else 0.0
    return clip.at_16k[round(start * RATE) : round(end * RATE)]


def shared(instruments: Instruments) -> Recogniser:
    """Return the one recogniser of a metric host."""
    return instruments.once("recogniser", lambda one: Recogniser(one.speech))
