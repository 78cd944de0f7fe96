"""The family ``speaker``: is it the reference's voice? Cosine of Resemblyzer's embeddings of the clip and the
reference.

Owns the choice of weights. The comparison is in comparison.py, the encoder in encoder.py.

No component of an embedding is negative, so voices with nothing in common are not at 0. Of three synthetic voices each
is at 0.8 and more to itself in another sentence, and at 0.8 and less to the others in the same sentence
(tests/scorer/metrics/test_speaker.py). Use it to compare versions with one reference; it does not prove identity.

Two things change it although the voice is the same, as they do in the package. The encoder depends on the level: 12 dB
less change it by up to 0.12. And a few milliseconds more of speech may add a window: up to 0.04. Sample rates from 16
kHz up do not change it, nor does silence at the end (tests/scorer/metrics/test_invariance.py).
"""

from __future__ import annotations

import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch

from services.scorer.metrics.base import MeasuredClip, Reading
from services.scorer.metrics.instruments import Instruments
from services.scorer.metrics.locks import scorer_lock
from services.scorer.metrics.speaker import comparison
from services.scorer.metrics.speaker.encoder import LEAST_DBFS, VoiceEncoder
from services.scorer.metrics.weights import PinnedWeights
from shared import metrics

WEIGHTS = PinnedWeights(
    "pretrained.pt",
    "39373b86598fa3da9fcddee6142382efe09777e8d37dc9c0561f41f0070f134e",
    "https://raw.githubusercontent.com/resemble-ai/Resemblyzer/15d828edebe06bc72b9cabc8ef8ca5ab2cb457ce/resemblyzer",
)
UNPACKED = (Path(sys.prefix) / "share" / "ringtrue" / "resemblyzer",)
"""The folder that its wheel is unpacked into, where imports do not find it (requirements/weights.txt)."""


class Speaker:
    """The family ``speaker``."""

    info = metrics.SPEAKER

    def __init__(self, instruments: Instruments) -> None:
        self._instruments = instruments
        self.encoder: VoiceEncoder | None = None
        """Set by `load`."""

    def lock(self) -> Mapping[str, Any]:
        return scorer_lock(
            "speaker",
            revision=1,
            weights={WEIGHTS.file: WEIGHTS.sha256},
            packages=comparison.PACKAGES,
            parameters={"least_dbfs": LEAST_DBFS, **comparison.PARAMETERS},
        )

    def load(self) -> None:
        torch.set_num_threads(self._instruments.threads)
        self.encoder = VoiceEncoder(WEIGHTS.read(self._instruments.models, UNPACKED)["model_state"])

    def measure(self, clip: MeasuredClip) -> Mapping[str, Reading]:
        assert self.encoder is not None, "load comes first"
        return {"speaker/similarity": comparison.similarity(clip, self._instruments.speech, self.encoder.embed)}
