"""The family ``asr``: is the speech intelligible? Word error rate between the text and what a recogniser hears.

The errors are counted by the folder counting, the transcript comes from recogniser.py. English only.

pocketsphinx is an old recogniser with an open vocabulary. It mishears many words of clear synthetic speech; how many
depends on the voice. Its error rate tells a clip with the wrong words from one with the right words, and two versions
of one voice from each other. It does not measure what a person would understand. Rates above 1 are possible, because
inserted words count.

Another sample rate or silence at the end changes it by a word now and then
(``python -m benchmarks.evidence.recognition``).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from services.scorer.metrics.base import MeasuredClip, Reading, too_long
from services.scorer.metrics.counting import english, rates
from services.scorer.metrics.english import recogniser
from services.scorer.metrics.instruments import Instruments
from services.scorer.metrics.locks import scorer_lock
from shared import metrics
from shared.scores import Reason, Unscored


class Asr:
    """The family ``asr``."""

    info = metrics.ASR

    def __init__(self, instruments: Instruments) -> None:
        self._recogniser = recogniser.shared(instruments)

    def lock(self) -> Mapping[str, Any]:
        return scorer_lock(
            "asr",
            revision=3,  # 3: a number is compared with every way to read it
            weights={"pocketsphinx/en-us": self._recogniser.model_sha256()},
            packages=("jiwer", *recogniser.PACKAGES),
            parameters={**rates.PARAMETERS, **recogniser.PARAMETERS},
        )

    def load(self) -> None:
        self._recogniser.load()

    def measure(self, clip: MeasuredClip) -> Mapping[str, Reading]:
        return {"asr/wer": self._error_rate(clip)}

    def _error_rate(self, clip: MeasuredClip) -> Reading:
        if not english.items(clip.text or ""):
            return Unscored(Reason.NEEDS_TEXT, "the text has no English words")
        return too_long(clip) or rates.word_error_rate(clip.text or "", self._recogniser.transcript(clip), "en")
