"""Writes down what is said in a clip, in US English.

Owns pocketsphinx and what it needs to hear synthetic speech: from the first speech to the last, seeded dither, and a
little room on both sides. Knows no text to compare with: the language model is the open one of the wheel, so it is not
told what to expect.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pocketsphinx  # type: ignore[import-untyped]

from services.scorer.metrics import speech
from services.scorer.metrics.base import Clip, Samples
from services.scorer.metrics.locks import folder_sha256
from services.scorer.metrics.speech import SpeechDetector

RATE = 16_000
DITHER = 0.001
"""Standard deviation of the noise that is added, full scale 1. Digital silence between synthetic words is unlike
anything the acoustic model was trained on, and it stumbles over it; this much noise is below what is audible."""
ROOM_S = 0.3
"""Dithered silence before and after. What the clip itself has there is cut away: the decoder takes the mean spectrum
over all it is given, and a second of silence in it costs words."""
MARGIN_S = 0.1
"""Kept beyond the first and the last speech: the detector may miss the hiss a word begins or ends with."""

DECODER: Mapping[str, object] = {"samprate": RATE, "cmn": "batch", "fwdflat": False, "maxhmmpf": 10_000}
"""One pass instead of two and a third of the hypotheses. These hear as many words as the published settings at three
quarters of their time, and of all that were tried another sample rate or silence at the end moves them least
(``python -m benchmarks.recognition``)."""

REVISION = 2
"""2: what was heard before no longer moves what is heard."""
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
    """One decoder, made at first use; not for use from several threads."""

    def __init__(self, detector: SpeechDetector, settings: Mapping[str, object] = DECODER) -> None:
        self._detector = detector
        self._settings = settings
        self._decoder: Any = None

    def model_sha256(self) -> str:
        """Hash of the acoustic model, the language model and the dictionary."""
        return folder_sha256(Path(pocketsphinx.get_model_path("en-us")))

    def load(self) -> None:
        """Read the models into memory."""
        if self._decoder is None:
            self._decoder = pocketsphinx.Decoder(**self._settings, loglevel="FATAL")

    def transcript(self, clip: Clip) -> str:
        """Lower-case words; empty where nothing is recognised. The same samples give the same words."""
        return clip.once("transcript", self._transcribe)

    def _transcribe(self, clip: Clip) -> str:
        self.load()
        heard = np.pad(self._spoken(clip), round(ROOM_S * RATE)).astype(np.float64)
        heard += DITHER * np.random.default_rng(0).standard_normal(len(heard))
        pcm = (np.clip(heard, -1, 1) * 32767).astype("<i2").tobytes()
        self._decoder.reinit_feat()  # else what it heard before moves how it hears this
        self._decoder.start_utt()
        self._decoder.process_raw(pcm, no_search=False, full_utt=True)
        self._decoder.end_utt()
        hypothesis = self._decoder.hyp()
        return "" if hypothesis is None else str(hypothesis.hypstr)

    def _spoken(self, clip: Clip) -> Samples:
        stretches = self._detector.find(clip).stretches
        start = max(0.0, stretches[0][0] - MARGIN_S) if stretches else 0.0
        end = stretches[-1][1] + MARGIN_S if stretches else 0.0
        return clip.at_16k[round(start * RATE) : round(end * RATE)]
