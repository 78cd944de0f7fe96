"""The family ``emotion``: does the clip sound as it was asked to? The classes of a pinned emotion classifier.

Owns which kind of classifier the pin is, and how a long clip is cut: into equal parts, over which the probabilities
are averaged. The catalog chooses it: the pin whose engine is ``emotion``, either a transformers checkpoint
(config.json) or emotion2vec+ by FunASR (config.yaml).

A classifier has habits of its own: it was trained on acted speech of one language and does not hear classes that it
has not learned. Its result on people who acted the same emotions is the most that any voice can reach.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any, Protocol

import numpy as np

from services.scorer.metrics import speech
from services.scorer.metrics.base import MeasuredClip, Reading, Samples, too_long
from services.scorer.metrics.emotion import classes
from services.scorer.metrics.emotion.classes import EmotionScores
from services.scorer.metrics.funasr.package import Funasr
from services.scorer.metrics.instruments import Instruments
from services.scorer.metrics.locks import scorer_lock
from shared import metrics
from shared.processes.hosting import HostTimeout
from shared.scores import Reason, Unscored
from shared.weights.lock import PinLock

PART_S = 15.0
"""Seconds. Longer clips are heard in equal parts of at most this length.

Time and memory of the attention grow with the square of a part, and these models were trained on single utterances.
"""


class Classifier(Protocol):
    """Hears emotions. Loaded when it is made."""

    def hear(self, parts: Sequence[Samples]) -> list[EmotionScores]:
        """Return what is heard in each part, with the same labels in all. ``parts``: samples at 16 kHz."""


class EmotionMetric:
    """The family ``emotion``."""

    info = metrics.EMOTION

    def __init__(self, instruments: Instruments) -> None:
        self._instruments = instruments
        self._funasr = Funasr(instruments.funasr_python, instruments.threads)
        self._pin: PinLock | None = None
        self._classifier: Classifier | None = None

    def lock(self) -> Mapping[str, Any]:
        from services.scorer.metrics.emotion import checkpoint

        pin = self._pin or self._instruments.pin_for(self.info.family)
        lock = scorer_lock(
            self.info.family,
            revision=1,
            weights=pin.hashes,
            packages=("soxr", "numpy") if _by_funasr(pin) else checkpoint.PACKAGES,
            parameters={"part_s": PART_S, "classes": classes.REVISION},
        )
        return lock | {"funasr": self._funasr.packages()} if _by_funasr(pin) else lock

    def load(self) -> None:
        pin = self._instruments.pin_for(self.info.family)
        self._classifier = self._load(pin)
        self._pin = pin

    def _load(self, pin: PinLock) -> Classifier:
        folder = self._instruments.snapshot(pin)
        if _by_funasr(pin):
            from services.scorer.metrics.emotion.emotion2vec import Emotion2vec

            return Emotion2vec(self._funasr, pin, folder, timeout_s=0.9 * self.info.deadline_s)
        from services.scorer.metrics.emotion.checkpoint import EmotionCheckpoint

        return EmotionCheckpoint(pin, folder, self._instruments.threads)

    def measure(self, clip: MeasuredClip) -> Mapping[str, Reading]:
        assert self._classifier is not None, "load comes first"
        if obstacle := too_long(clip):
            return dict.fromkeys(self.info.names, obstacle)
        parts = np.array_split(clip.at_16k, max(1, math.ceil(len(clip.at_16k) / (PART_S * speech.RATE))))
        try:
            heard = self._classifier.hear(parts)
        except HostTimeout as error:
            return dict.fromkeys(self.info.names, Unscored(Reason.SCORER_TIMEOUT, str(error)))
        mean = np.mean([part.probabilities for part in heard], axis=0)
        return EmotionScores(heard[0].labels, mean.tolist()).readings(clip.emotion)


def _by_funasr(pin: PinLock) -> bool:
    paths = {file.path for file in pin.files}
    return "config.yaml" in paths and "config.json" not in paths
