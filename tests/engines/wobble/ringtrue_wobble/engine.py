"""espeak, unsteady: the seed moves rate and pitch a little and lays faint noise under the voice, as a sampling model
would. Owns the wobble; what is wrong with a pin on purpose is in flaws.py, and the speaking is espeak's."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, cast

import numpy as np

from ringtrue_wobble.burden import Burden
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

    def __init__(self, pin: str, flaw: Flaw, burden: Burden | None = None) -> None:
        self._pin = pin
        self._flaw = flaw
        self._burden = burden or Burden()
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
            max_batch=self._burden.max_batch,
            options_schema=options.schema(self._flaw.options),
            description=f"espeak with a seed; {self._flaw.__doc__}",
        )

    def load(self) -> None:
        self._espeak.load()
        self._burden.load()

    def speak(self, request: SpeakRequest) -> Audio:
        self._burden.speak([request.text])
        return self._spoken(request)

    def speak_batch(self, requests: Sequence[SpeakRequest]) -> Sequence[Audio]:
        """The texts that stand beside one are heard, as in models whose batches leak into one another."""
        self._burden.speak([request.text for request in requests])
        beside = sum(len(request.text) for request in requests)
        return [self._spoken(replace(request, seed=request.seed + beside)) for request in requests]

    def _spoken(self, request: SpeakRequest) -> Audio:
        chosen: Mapping[str, Any] = options.chosen(self._flaw.options, request.options)
        random = np.random.default_rng(request.seed)
        rate, pitch = np.exp(random.normal(0, (RATE_SD, PITCH_SD)))
        request = self._flaw.altered(replace(request, options={}), chosen)
        wobbled = replace(request, speed=request.speed * rate, pitch_scale=request.pitch_scale * pitch)
        audio = self._espeak.speak(wobbled)
        samples = np.frombuffer(audio.pcm, dtype="<i2").astype(np.float32) / 32767
        samples += random.normal(0, NOISE_SD, len(samples)).astype(np.float32)
        return cast(Audio, self._flaw.handed(audio_of(self._flaw.spoilt(samples, random, chosen), audio.sample_rate)))
