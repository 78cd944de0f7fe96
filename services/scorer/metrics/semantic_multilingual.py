"""The family ``semantic_multilingual``: did the meaning come across, in any language?

It is the cosine of the sentence embeddings of the text and its transcript. Owns how the encoder is loaded: the pin
whose engine is ``semantic_multilingual``, a folder of sentence-transformers. The pin's modules.json says how the
vectors of words become the vector of the sentence: BAAI/bge-base-zh-v1.5 takes the first,
paraphrase-multilingual-MiniLM-L12-v2 their mean. Without that file the pin is refused. The transcript is that of the
pinned Whisper (whisper/recogniser.py), so two pins are needed. Chinese is compared in simplified characters, because
Whisper writes both scripts.

No file of an encoder says for which languages it is good. It is used for every language that Whisper covers; pin one
that fits what you speak. Encoders differ in how close they place unrelated sentences, so a value means something only
beside others with the same lock. An encoder reads no more of a long text than its max_seq_length.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import torch
from sentence_transformers import SentenceTransformer
from transformers import AutoModel

from services.scorer.metrics import characters
from services.scorer.metrics.base import MeasuredClip, Reading, WeightsMismatch
from services.scorer.metrics.instruments import Instruments
from services.scorer.metrics.locks import scorer_lock
from services.scorer.metrics.pretrained import Pretrained, reading
from services.scorer.metrics.whisper import recogniser
from shared import metrics
from shared.scores import Reason, Unscored
from shared.weights.lock import PinLock

MODULES = "modules.json"
_UNUSED = ("pooler.",)
"""Weights that the sentence vector does not depend on, and that some encoders leave out."""


class SemanticMultilingual:
    """The family ``semantic_multilingual``."""

    info = metrics.SEMANTIC_MULTILINGUAL

    def __init__(self, instruments: Instruments) -> None:
        self._instruments = instruments
        self._recogniser = recogniser.whisper_of(instruments)
        self._pin: PinLock | None = None
        self._model: SentenceTransformer | None = None

    def lock(self) -> Mapping[str, Any]:
        pin = self._pin or self._instruments.pin_for(self.info.family)
        heard_by = {f"{recogniser.ENGINE}/{path}": sha256 for path, sha256 in self._recogniser.weights().items()}
        return scorer_lock(
            self.info.family,
            revision=2,
            weights=pin.hashes | heard_by,
            packages=("sentence-transformers", "opencc", *self._recogniser.packages()),
            parameters={**characters.PARAMETERS, **self._recogniser.parameters()},
        )

    def load(self) -> None:
        self._recogniser.load()
        torch.set_num_threads(self._instruments.threads)
        pin = self._instruments.pin_for(self.info.family)
        folder = self._instruments.snapshot(pin)
        _check(pin, folder)
        with reading(pin):
            self._model = SentenceTransformer(
                str(folder), device="cpu", local_files_only=True, model_kwargs={"dtype": torch.float32}
            )
        self._pin = pin

    def measure(self, clip: MeasuredClip) -> Mapping[str, Reading]:
        return {"semantic/similarity_multilingual": self._recogniser.obstacle(clip) or self._similarity(clip)}

    def _similarity(self, clip: MeasuredClip) -> Reading:
        assert self._model is not None, "load comes first"
        transcript = self._recogniser.transcript(clip)
        if not transcript:
            return Unscored(Reason.NO_SPEECH, "the recogniser heard no words")
        language = self._recogniser.language_of(clip) or ""
        compared = [characters.in_one_script(sentence, language) for sentence in (clip.text or "", transcript)]
        text, heard = self._model.encode(compared, normalize_embeddings=True)
        return float(np.clip(np.dot(text, heard), -1, 1))


def _check(pin: PinLock, folder: Path) -> None:
    """Refuse a pin without what sentence-transformers would make up: how words are pooled, and weights."""
    if MODULES not in {file.path for file in pin.files}:
        raise WeightsMismatch(f"{pin.name} has no {MODULES}, which says how sentence vectors are made of words")
    with reading(pin):
        first = json.loads((folder / MODULES).read_text())[0]["path"]
    Pretrained(pin, folder / first).model(AutoModel, unused=_UNUSED)
