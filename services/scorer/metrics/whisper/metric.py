"""The family ``whisper``: is the speech intelligible, in any language? Error rates between text and transcript.

Owns the word error rate and the languages that have one. The character error rate is in characters.py, the transcript
in recogniser.py.

``asr/wer_whisper`` is given for languages that are written with spaces between words. English is turned into words as
for ``asr/wer`` (text_normalisation.py: numbers become words). In every other language, words are what is between
blanks, after Unicode NFKC and lower case, without punctuation and signs except apostrophes inside a word. Numbers stay
as they are written, and a character without a width, such as a soft hyphen, separates nothing. ``asr/cer_whisper`` is
given for all languages.

Whisper was trained on published transcripts: it writes numbers in digits, leaves out slips of the tongue and makes
sense of nonsense. So a rate of 0 says that the words came across, not that each sound did. On noise it may repeat
itself, and then a rate is far above 1.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

import jiwer

from services.scorer.metrics.base import MeasuredClip, Reading
from services.scorer.metrics.characters import PACKAGES as COUNTING
from services.scorer.metrics.characters import PARAMETERS as CHARACTERS
from services.scorer.metrics.characters import character_error_rate, parted
from services.scorer.metrics.english import text_normalisation
from services.scorer.metrics.instruments import Instruments
from services.scorer.metrics.locks import scorer_lock
from services.scorer.metrics.whisper import recogniser
from shared import metrics
from shared.scores import Reason, Unscored

WITHOUT_SPACES = frozenset({"zh", "yue", "ja", "th", "lo", "km", "my", "bo"})
"""Languages of Whisper whose writing does not separate words."""

_IN_WORD = re.compile(r"(?<=\w)['’\uff07](?=\w)")
_LETTER = "\N{MODIFIER LETTER APOSTROPHE}"
"""Replaces every apostrophe. Unicode counts it as a letter, so it stays when signs are dropped."""


class Whisper:
    """The family ``whisper``."""

    info = metrics.WHISPER

    def __init__(self, instruments: Instruments) -> None:
        self._recogniser = recogniser.whisper_of(instruments)

    def lock(self) -> Mapping[str, Any]:
        return scorer_lock(
            self.info.family,
            revision=2,  # 2: soft hyphens no longer separate words
            weights=self._recogniser.weights(),
            packages=(*COUNTING, *self._recogniser.packages()),
            parameters={**CHARACTERS, **self._recogniser.parameters()},
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
            "asr/wer_whisper": word_error_rate(text, heard, language),
            "asr/cer_whisper": character_error_rate(text, heard, language),
        }


def word_error_rate(text: str, heard: str, language: str) -> Reading:
    """Return substitutions, deletions and insertions divided by the words of ``text``.

    1 if nothing was heard; above 1 if much was heard that is not in the text. Unscored for languages that are written
    without spaces and for texts without words. ``language`` is Whisper's code.
    """
    if language in WITHOUT_SPACES:
        return Unscored(Reason.LANGUAGE_NOT_COVERED, f"{language} is written without spaces between words")
    words = text_normalisation.words if language == "en" else spaced_words
    said = words(text)
    if not said:
        return Unscored(Reason.NEEDS_TEXT, "the text has no words")
    return float(jiwer.wer(said, words(heard)))


def spaced_words(text: str) -> str:
    """Return the words of a text in a language with spaces, joined by single blanks; empty if it has none."""
    return " ".join(parted(_IN_WORD.sub(_LETTER, text)))
