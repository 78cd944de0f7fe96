"""The family ``speaker_wavlm``: is it the reference's voice? Answered by the x-vectors of a pinned WavLM.

Owns how a long recording is cut; pretrained.py owns how the checkpoint is read. The catalog chooses it: the pin whose
engine is ``speaker_wavlm``, for example microsoft/wavlm-base-plus-sv. Its values have their own name, because they
differ from those of Resemblyzer (metric.py): two encoders put the same pair of voices at different distances.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from transformers import AutoFeatureExtractor, WavLMForXVector

from services.scorer.metrics import speech
from services.scorer.metrics.base import MeasuredClip, Reading, Samples, too_long
from services.scorer.metrics.instruments import Instruments
from services.scorer.metrics.locks import scorer_lock
from services.scorer.metrics.pretrained import Pretrained
from services.scorer.metrics.speaker import comparison
from shared import metrics
from shared.weights.lock import PinLock

PART_S = 10.0
"""Seconds. Longer speech is encoded in equal parts of at most this length, whose vectors are averaged.

Time and memory of the attention grow with the square of a part.
"""
_UNUSED = ("masked_spec_embed", "objective.weight")
"""Weights that only training uses, and that some checkpoints leave out."""


class SpeakerWavlm:
    """The family ``speaker_wavlm``."""

    info = metrics.SPEAKER_WAVLM

    def __init__(self, instruments: Instruments) -> None:
        self._instruments = instruments
        self._pin: PinLock | None = None
        self._prepare: Any = None
        self._model: Any = None

    def lock(self) -> Mapping[str, Any]:
        pin = self._pin or self._instruments.pin_for(self.info.family)
        return scorer_lock(
            self.info.family,
            revision=1,
            weights=pin.hashes,
            packages=("transformers", *comparison.PACKAGES),
            parameters={"part_s": PART_S, **comparison.PARAMETERS},
        )

    def load(self) -> None:
        torch.set_num_threads(self._instruments.threads)
        pin = self._instruments.pin_for(self.info.family)
        checkpoint = Pretrained(pin, self._instruments.snapshot(pin))
        checkpoint.config("wavlm")
        self._prepare = checkpoint.ear(AutoFeatureExtractor)
        self._model = checkpoint.model(WavLMForXVector, unused=_UNUSED)
        self._pin = pin

    def measure(self, clip: MeasuredClip) -> Mapping[str, Reading]:
        return {"speaker/similarity_wavlm": self._similarity(clip)}

    def _similarity(self, clip: MeasuredClip) -> Reading:
        return too_long(clip) or comparison.similarity(clip, self._instruments.speech, self.embed)

    @torch.inference_mode()
    def embed(self, samples: Samples) -> npt.NDArray[np.float32]:
        """Return the mean x-vector of speech at 16 kHz."""
        assert self._model is not None, "load comes first"
        vectors = []
        for part in np.array_split(samples, math.ceil(len(samples) / (PART_S * speech.RATE))):
            inputs = self._prepare(part, sampling_rate=speech.RATE, return_tensors="pt")
            vectors.append(torch.nn.functional.normalize(self._model(**inputs).embeddings[0], dim=0).numpy())
        return np.asarray(np.mean(vectors, axis=0))
