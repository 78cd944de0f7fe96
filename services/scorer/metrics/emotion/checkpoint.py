"""An emotion classifier that transformers reads: wav2vec 2.0, HuBERT or WavLM with a head for whole clips.

Owns what is refused as no emotion classifier: another kind of model, a head that does not choose between classes,
classes that are no emotions. How the checkpoint is read is in pretrained.py. Knows no target.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch
from transformers import AutoFeatureExtractor, AutoModelForAudioClassification

from services.scorer.metrics import speech
from services.scorer.metrics.base import Samples, WeightsMismatch
from services.scorer.metrics.emotion.classes import EmotionScores, canonical
from services.scorer.metrics.pretrained import Pretrained
from shared.weights.lock import PinLock

PACKAGES = ("transformers", "torch", "numpy", "soxr")
_HEADS = {f"{name}ForSequenceClassification" for name in ("Wav2Vec2", "Hubert", "WavLM")}
_UNUSED = ("masked_spec_embed",)
"""A weight that only training uses, and that many checkpoints leave out."""


class EmotionCheckpoint:
    """A loaded classifier. Raises `WeightsMismatch` if ``folder`` does not hold a complete and usable one."""

    def __init__(self, pin: PinLock, folder: Path, threads: int) -> None:
        torch.set_num_threads(threads)
        checkpoint = Pretrained(pin, folder)
        config = checkpoint.config()
        _check(pin.name, config)
        self._prepare = checkpoint.ear(AutoFeatureExtractor)
        self.labels: Sequence[str] = [config.id2label[index] for index in range(config.num_labels)]
        if not any(map(canonical, self.labels)):
            raise WeightsMismatch(f"no class of {pin.name} is an emotion: {', '.join(self.labels)}")
        self._model = checkpoint.model(AutoModelForAudioClassification, unused=_UNUSED)

    @torch.inference_mode()
    def hear(self, parts: Sequence[Samples]) -> list[EmotionScores]:
        """Return what is heard in each part. ``parts``: samples at 16 kHz."""
        return [EmotionScores(self.labels, self._probabilities(part)) for part in parts]

    def _probabilities(self, part: Samples) -> list[float]:
        inputs = self._prepare(part, sampling_rate=speech.RATE, return_tensors="pt")
        logits = self._model(**inputs).logits[0].double()
        found: list[float] = torch.softmax(logits, dim=0).tolist()
        return found


def _check(pin: str, config: Any) -> None:
    architectures = set(config.architectures or ())
    if not architectures & _HEADS:
        found = ", ".join(sorted(architectures)) or "nothing"
        raise WeightsMismatch(f"the config.json of {pin} names {found}, not one of {', '.join(sorted(_HEADS))}")
    if config.problem_type not in (None, "single_label_classification"):
        raise WeightsMismatch(f"the head of {pin} does not choose between classes: {config.problem_type}")
