"""Is it intelligible? Word error rate between the text and what a recogniser hears.

Owns the comparison. The text is normalised by wording.py, the transcript comes from recogniser.py. English only.

pocketsphinx is an old recogniser with an open vocabulary: it mishears many words of clear synthetic speech, how many
depends on the voice. Its error rate tells a clip with the wrong words from one with the right ones, and two versions of
one voice from each other; it is no measure of what a person would understand. Errors above 1 are possible: inserted
words count.

Another sample rate or silence at the end moves it by a word now and then (``python -m benchmarks.recognition``).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import jiwer

from services.scorer.metrics import infos, recogniser, wording
from services.scorer.metrics.base import Clip, Reading, too_long
from services.scorer.metrics.instruments import Instruments
from services.scorer.metrics.locks import scorer_lock
from shared.scores import Reason, Unscored


class Asr:
    """The family ``asr``."""

    info = infos.ASR

    def __init__(self, instruments: Instruments) -> None:
        self._recogniser = instruments.recogniser

    def lock(self) -> Mapping[str, Any]:
        return scorer_lock(
            "asr",
            revision=2,  # soft hyphens part no words
            weights={"pocketsphinx/en-us": self._recogniser.model_sha256()},
            packages=("jiwer", *recogniser.PACKAGES),
            parameters=recogniser.PARAMETERS,
        )

    def load(self) -> None:
        self._recogniser.load()

    def measure(self, clip: Clip) -> Mapping[str, Reading]:
        return {"asr/wer": self._error_rate(clip)}

    def _error_rate(self, clip: Clip) -> Reading:
        said = wording.words(clip.text or "")
        if not said:
            return Unscored(Reason.NEEDS_TEXT, "the text has no English words")
        return too_long(clip) or float(jiwer.wer(said, wording.words(self._recogniser.transcript(clip))))
