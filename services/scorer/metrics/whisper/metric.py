"""Is it intelligible, in any language? Error rates between the text and what a pinned Whisper hears.

Owns the word error rate and where there is one; that of characters is characters.py's, the transcript recogniser.py's.

``asr/wer_whisper`` is given for languages that are written with spaces between words. English is brought into words as
for ``asr/wer`` (wording.py: numbers become words). In every other language words are what is between blanks, after
Unicode NFKC and lower case, with punctuation and signs gone but for apostrophes inside a word; numbers stay as they are
written, and what has no width, such as a soft hyphen, parts nothing. ``asr/cer_whisper`` is given for all languages.

Whisper was taught by what people publish: it writes numbers in digits, leaves out slips of the tongue, and makes sense
of what has none, so a rate of 0 says that the words came across, not that each sound did. On noise it may repeat
itself, and then a rate is far above 1.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

import jiwer

from services.scorer.metrics import infos, wording
from services.scorer.metrics.base import Clip, Reading
from services.scorer.metrics.characters import PACKAGES as COUNTING
from services.scorer.metrics.characters import PARAMETERS as CHARACTERS
from services.scorer.metrics.characters import character_error_rate, parted
from services.scorer.metrics.instruments import Instruments
from services.scorer.metrics.locks import scorer_lock
from services.scorer.metrics.whisper import recogniser
from shared.scores import Reason, Unscored

WITHOUT_SPACES = frozenset({"zh", "yue", "ja", "th", "lo", "km", "my", "bo"})
"""Languages of Whisper whose writing does not part words."""

_IN_WORD = re.compile(r"(?<=\w)['’\uff07](?=\w)")
_LETTER = "\N{MODIFIER LETTER APOSTROPHE}"
"""Stands for every apostrophe; to Unicode it is a letter, so it stays where signs go."""


class Whisper:
    """The family ``whisper``."""

    info = infos.WHISPER

    def __init__(self, instruments: Instruments) -> None:
        self._recogniser = recogniser.whisper_of(instruments)

    def lock(self) -> Mapping[str, Any]:
        return scorer_lock(
            self.info.family,
            revision=2,  # soft hyphens part no words
            weights=self._recogniser.weights(),
            packages=(*COUNTING, *recogniser.PACKAGES),
            parameters={**CHARACTERS, **recogniser.PARAMETERS},
        )

    def load(self) -> None:
        self._recogniser.load()

    def measure(self, clip: Clip) -> Mapping[str, Reading]:
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
    """Substitutions, deletions and insertions over the words of ``text``. Above 1 where much was heard that is not
    there; 1 where nothing was heard. ``language``: Whisper's code."""
    if language in WITHOUT_SPACES:
        return Unscored(Reason.LANGUAGE_NOT_COVERED, f"{language} is written without spaces between words")
    words = wording.words if language == "en" else spaced_words
    said = words(text)
    if not said:
        return Unscored(Reason.NEEDS_TEXT, "the text has no words")
    return float(jiwer.wer(said, words(heard)))


def spaced_words(text: str) -> str:
    """The words of a text in any language with spaces, joined by single blanks; empty where it has none."""
    return " ".join(parted(_IN_WORD.sub(_LETTER, text)))
