"""espeak, unsteady: the seed moves rate and pitch a little and lays faint noise under the voice, as a sampling model
would. Owns the wobble; what is wrong with a pin on purpose is in flaws.py, and the speaking is espeak's."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np

from ringtrue_wobble.flaws import Flaw
from services.worker.engines import options
from services.worker.engines.base import SpeakRequest
from services.worker.engines.espeak.family import Espeak
from services.worker.engines.samples import audio_of
from shared.audio import Audio
from shared.catalog import Manifest, Support, lock_sha256

VERSION = "1.0.0"
RATE_SD, PITCH_SD = 0.03, 0.02
"""Of the factors' logarithms, so about 3 % and 2 %."""
NOISE_SD = 1e-4
"""Of full scale: -80 dBFS, below what is heard."""


class WobbleEngine:
    """espeak-v2 by composition, with a seed that matters and one flaw."""

    def __init__(self, pin: str, flaw: Flaw) -> None:
        self._pin = pin
        self._flaw = flaw
        self._espeak = Espeak().build("espeak-v2")

    def manifest(self) -> Manifest:
        inner = self._espeak.manifest()
        lock = {"engine": "wobble", "version": VERSION, "flaw": self._pin, "espeak": inner.lock_sha256}
        return replace(
            inner,
            pin=self._pin,
            engine="wobble",
            engine_version=VERSION,
            lock_sha256=lock_sha256(lock),
            controls={**inner.controls, "seed": Support.NATIVE},
            options_schema=options.schema(self._flaw.options),
            description=f"espeak with a seed; {self._flaw.__doc__}",
        )

    def load(self) -> None:
        self._espeak.load()

    def speak(self, request: SpeakRequest) -> Audio:
        chosen: Mapping[str, Any] = options.chosen(self._flaw.options, request.options)
        random = np.random.default_rng(request.seed)
        rate, pitch = np.exp(random.normal(0, (RATE_SD, PITCH_SD)))
        request = self._flaw.altered(replace(request, options={}), chosen)
        wobbled = replace(request, speed=request.speed * rate, pitch_scale=request.pitch_scale * pitch)
        audio = self._espeak.speak(wobbled)
        samples = np.frombuffer(audio.pcm, dtype="<i2").astype(np.float32) / 32767
        samples += random.normal(0, NOISE_SD, len(samples)).astype(np.float32)
        return audio_of(self._flaw.spoilt(samples, random, chosen), audio.sample_rate)
