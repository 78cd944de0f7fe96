"""Is it the reference's voice? As metric.py asks, answered by the x-vectors of a WavLM that the team has pinned.

Owns how a long recording is parted; how the checkpoint is read is pretrained.py's. Which one it is says the catalog:
the pin whose engine is ``speaker_wavlm``, for example microsoft/wavlm-base-plus-sv. Its values have a name of their
own, because they are not those of Resemblyzer: two encoders put the same pair of voices at different distances.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from transformers import AutoFeatureExtractor, WavLMForXVector

from services.scorer.metrics import infos, speech
from services.scorer.metrics.base import Clip, Reading, Samples, too_long
from services.scorer.metrics.instruments import Instruments
from services.scorer.metrics.locks import scorer_lock
from services.scorer.metrics.pretrained import Pretrained
from services.scorer.metrics.speaker import comparison
from shared.weights.lock import PinLock

PART_S = 10.0
"""Longer speech is encoded in equal parts of at most this length, whose vectors are averaged: time and memory of the
attention grow with the square of a part."""
_UNUSED = ("masked_spec_embed", "objective.weight")
"""Weights that only training uses, and that some checkpoints leave out."""


class SpeakerWavlm:
    """The family ``speaker_wavlm``."""

    info = infos.SPEAKER_WAVLM

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
            weights={file.path: file.sha256 for file in pin.files},
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

    def measure(self, clip: Clip) -> Mapping[str, Reading]:
        return {"speaker/similarity_wavlm": self._similarity(clip)}

    def _similarity(self, clip: Clip) -> Reading:
        return too_long(clip) or comparison.similarity(clip, self._instruments.speech, self.embed)

    @torch.inference_mode()
    def embed(self, samples: Samples) -> npt.NDArray[np.float32]:
        """The mean x-vector of speech at 16 kHz."""
        assert self._model is not None, "load comes first"
        vectors = []
        for part in np.array_split(samples, math.ceil(len(samples) / (PART_S * speech.RATE))):
            inputs = self._prepare(part, sampling_rate=speech.RATE, return_tensors="pt")
            vectors.append(torch.nn.functional.normalize(self._model(**inputs).embeddings[0], dim=0).numpy())
        return np.asarray(np.mean(vectors, axis=0))
