"""The family ``whisper``: is the speech intelligible, in any language? Error rates between text and transcript.

Errors are counted by the folder counting, the transcript comes from recogniser.py. ``asr/wer_whisper`` is given for
languages that are written with spaces between words, ``asr/cer_whisper`` for all languages. In English and Chinese, a
number, a unit or an abbreviation is compared with every way to read it. In other languages, numbers stay as they are
written.

Whisper was trained on published transcripts: it writes numbers in digits, leaves out slips of the tongue and makes
sense of nonsense. So a rate of 0 says that the words came across, not that each sound did. On noise it may repeat
itself, and then a rate is far above 1.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from services.scorer.metrics.base import MeasuredClip, Reading
from services.scorer.metrics.counting import rates
from services.scorer.metrics.instruments import Instruments
from services.scorer.metrics.locks import scorer_lock
from services.scorer.metrics.whisper import recogniser
from shared import metrics


class Whisper:
    """The family ``whisper``."""

    info = metrics.WHISPER

    def __init__(self, instruments: Instruments) -> None:
        self._recogniser = recogniser.whisper_of(instruments)

    def lock(self) -> Mapping[str, Any]:
        return scorer_lock(
            self.info.family,
            revision=3,  # 3: a number is compared with every way to read it
            weights=self._recogniser.weights(),
            packages=(*rates.PACKAGES, *self._recogniser.packages()),
            parameters={**rates.PARAMETERS, **self._recogniser.parameters()},
        )

    def load(self) -> None:
        self._recogniser.load()

    def measure(self, clip: MeasuredClip) -> Mapping[str, Reading]:
        if obstacle := self._recogniser.obstacle(clip):
            return dict.fromkeys(self.info.names, obstacle)
        text, language = clip.text or "", self._recogniser.language_of(clip)
        assert language is not None, "else there would be an obstacle"
        heard = self._recogniser.transcript(clip)
        return {
            "asr/wer_whisper": rates.word_error_rate(text, heard, language),
            "asr/cer_whisper": rates.character_error_rate(text, heard, language),
        }
