"""The family ``pronunciation``: is a part of the text said as it should be?

A forced choice. Each recogniser is given the whole text with every reading in the place of the target, and says how
likely each is; it is not asked what it hears, because it would write 重庆 whatever was said. verdict.py makes one
verdict of what they found. Owns how the two are asked:

- the pinned Whisper (whisper/recogniser.py), in every language that it covers;
- pocketsphinx (english/aligner.py), for texts and readings in English that have no digits and no word that its
  dictionary lacks. Otherwise Whisper judges alone, and the score names only Whisper.

``pronunciation/right``, ``/wrong`` and ``/unknown`` are 0 or 1 and add up to 1, so their means over a suite are shares
of all its clips that could be heard. A clip without speech is unscored.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from services.scorer.metrics import characters
from services.scorer.metrics.base import MeasuredClip, Reading
from services.scorer.metrics.english import aligner
from services.scorer.metrics.instruments import Instruments
from services.scorer.metrics.locks import scorer_lock
from services.scorer.metrics.pronunciation import verdict
from services.scorer.metrics.whisper import recogniser
from shared import metrics
from shared.scores import HeardReading, Unscored


class PronunciationMetric:
    """The family ``pronunciation``."""

    info = metrics.PRONUNCIATION

    def __init__(self, instruments: Instruments) -> None:
        self._whisper = recogniser.whisper_of(instruments)
        self._aligner = aligner.shared(instruments)

    def lock(self) -> Mapping[str, Any]:
        return scorer_lock(
            self.info.family,
            revision=1,
            weights={**self._whisper.weights(), "pocketsphinx/en-us": self._aligner.model_sha256()},
            packages=("opencc", *self._whisper.packages(), *aligner.PACKAGES),
            parameters={
                **self._whisper.parameters(),
                **characters.PARAMETERS,
                "aligner": aligner.PARAMETERS,
                "verdict": verdict.PARAMETERS,
            },
        )

    def load(self) -> None:
        self._whisper.load()
        self._aligner.load()

    def measure(self, clip: MeasuredClip) -> Mapping[str, Reading]:
        if obstacle := self._whisper.obstacle(clip):
            return dict.fromkeys(self.info.names, obstacle)
        found = self.found(clip)
        return dict.fromkeys(self.info.names, found) if isinstance(found, Unscored) else verdict.verdict(found)

    def found(self, clip: MeasuredClip) -> list[HeardReading] | Unscored:
        """Return which reading each recogniser found likeliest. Only for clips that `measure` may be called with and
        that Whisper can hear."""
        said = clip.pronunciation
        assert said is not None, "a clip without a pronunciation is not shown to a metric that needs one"
        texts = [said.spelled(clip.text or "", reading) for reading in (*said.right, *said.wrong)]
        by_whisper = self._by_whisper(clip, texts)
        if isinstance(by_whisper, Unscored):
            return by_whisper
        found = [verdict.heard(verdict.WHISPER, said, by_whisper)]
        if clip.primary_language == "en" and (aligned := self._aligner.log_likelihoods(clip, texts)) is not None:
            found.append(verdict.heard(verdict.POCKETSPHINX, said, aligned))
        return found

    def _by_whisper(self, clip: MeasuredClip, texts: Sequence[str]) -> list[float] | Unscored:
        # Whisper writes both scripts of Chinese; a reading must not be less likely for its script
        written = [characters.in_one_script(text, clip.primary_language) for text in texts]
        return self._whisper.log_likelihood_ratios(clip, written)
