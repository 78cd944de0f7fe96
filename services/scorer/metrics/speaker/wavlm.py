"""Is it the reference's voice? As metric.py asks, answered by the x-vectors of a WavLM that the team has pinned.

Owns how such a checkpoint is loaded (files of the snapshot only, every weight from them) and how a long recording is
parted. Which one it is says the catalog: the pin whose engine is ``speaker_wavlm``, for example
microsoft/wavlm-base-plus-sv. Its values have a name of their own, because they are not those of Resemblyzer: two
encoders put the same pair of voices at different distances.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from transformers import AutoConfig, AutoFeatureExtractor, WavLMForXVector

from services.scorer.metrics import infos, speech
from services.scorer.metrics.base import Clip, Reading, Samples, WeightsMismatch
from services.scorer.metrics.instruments import Instruments
from services.scorer.metrics.locks import scorer_lock
from services.scorer.metrics.speaker import comparison
from shared.scores import Reason, Unscored
from shared.weights.lock import PinLock

PART_S = 10.0
"""Longer speech is encoded in equal parts of at most this length, whose vectors are averaged: time and memory of the
attention grow with the square of a part."""
LONGEST_S = 300.0
"""Longer clips are not encoded: on a busy machine they would not be done within the deadline."""


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
        folder = self._instruments.snapshot(pin)
        found = _read(AutoConfig, folder).model_type
        if found != "wavlm":
            raise WeightsMismatch(f"{pin.name} is a model of type {found}, not wavlm")
        self._prepare = _read(AutoFeatureExtractor, folder)
        safe = any(folder.glob("*.safetensors"))
        self._model, report = _read(
            WavLMForXVector,
            folder,
            use_safetensors=safe,
            weights_only=True,
            dtype=torch.float32,
            output_loading_info=True,
        )
        # What is missing the library makes up, and random weights give plausible numbers.
        if missing := sorted(report["missing_keys"]):
            raise WeightsMismatch(f"{len(missing)} weights are not in {pin.name}; the first is {missing[0]}")
        self._model.eval()
        self._pin = pin

    def measure(self, clip: Clip) -> Mapping[str, Reading]:
        return {"speaker/similarity_wavlm": self._similarity(clip)}

    def _similarity(self, clip: Clip) -> Reading:
        if clip.duration_s > LONGEST_S:
            return Unscored(Reason.TOO_LONG, f"{clip.duration_s:.0f} s; at most {LONGEST_S:g} s are encoded")
        return comparison.similarity(clip, self._instruments.speech, self.embed)

    @torch.inference_mode()
    def embed(self, samples: Samples) -> npt.NDArray[np.float32]:
        """The mean x-vector of speech at 16 kHz."""
        assert self._model is not None, "load comes first"
        vectors = []
        for part in np.array_split(samples, math.ceil(len(samples) / (PART_S * speech.RATE))):
            inputs = self._prepare(part, sampling_rate=speech.RATE, return_tensors="pt")
            vectors.append(torch.nn.functional.normalize(self._model(**inputs).embeddings[0], dim=0).numpy())
        return np.asarray(np.mean(vectors, axis=0))


def _read(made_by: Any, folder: Path, **how: Any) -> Any:
    return made_by.from_pretrained(str(folder), local_files_only=True, **how)
