"""A classifier of emotions that transformers reads: wav2vec 2.0, HuBERT or WavLM with a head for whole clips.

Owns how such a checkpoint is loaded (files of the snapshot only, every weight from them) and what is refused: another
kind of model, another sample rate, a head that does not choose between classes. Knows no target.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch
from transformers import AutoConfig, AutoFeatureExtractor, AutoModelForAudioClassification

from services.scorer.metrics import speech
from services.scorer.metrics.base import Samples, WeightsMismatch
from services.scorer.metrics.emotion.classes import Heard, canonical

PACKAGES = ("transformers", "torch", "numpy", "soxr")
_HEADS = {f"{name}ForSequenceClassification" for name in ("Wav2Vec2", "Hubert", "WavLM")}


class Checkpoint:
    """A loaded classifier. `WeightsMismatch` where ``folder`` does not hold one that can be used whole."""

    def __init__(self, folder: Path, threads: int) -> None:
        torch.set_num_threads(threads)
        config = _read(AutoConfig, folder)
        _check(config)
        self._prepare = _read(AutoFeatureExtractor, folder)
        if (rate := self._prepare.sampling_rate) != speech.RATE:
            raise WeightsMismatch(f"the classifier listens at {rate} Hz, not at {speech.RATE}")
        self.labels: Sequence[str] = [config.id2label[index] for index in range(config.num_labels)]
        if not any(map(canonical, self.labels)):
            raise WeightsMismatch(f"no class of the classifier is an emotion: {', '.join(self.labels)}")
        self._model, report = _read(
            AutoModelForAudioClassification,
            folder,
            use_safetensors=any(folder.glob("*.safetensors")),
            weights_only=True,
            dtype=torch.float32,
            output_loading_info=True,
        )
        # What is missing the library makes up, and random weights give plausible numbers.
        if missing := sorted(report["missing_keys"]):
            raise WeightsMismatch(f"{len(missing)} weights are not in the checkpoint; the first is {missing[0]}")
        self._model.eval()

    @torch.inference_mode()
    def hear(self, parts: Sequence[Samples]) -> list[Heard]:
        """What is heard in each part; ``parts``: samples at 16 kHz."""
        return [Heard(self.labels, self._probabilities(part)) for part in parts]

    def _probabilities(self, part: Samples) -> list[float]:
        inputs = self._prepare(part, sampling_rate=speech.RATE, return_tensors="pt")
        logits = self._model(**inputs).logits[0].double()
        found: list[float] = torch.softmax(logits, dim=0).tolist()
        return found


def _check(config: Any) -> None:
    architectures = set(config.architectures or ())
    if not architectures & _HEADS:
        found = ", ".join(sorted(architectures)) or "nothing"
        raise WeightsMismatch(f"config.json names {found}, not one of {', '.join(sorted(_HEADS))}")
    if config.problem_type not in (None, "single_label_classification"):
        raise WeightsMismatch(f"the head does not choose between classes: {config.problem_type}")


def _read(made_by: Any, folder: Path, **how: Any) -> Any:
    return made_by.from_pretrained(str(folder), local_files_only=True, trust_remote_code=False, **how)
