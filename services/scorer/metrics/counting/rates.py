"""The word error rate and the character error rate between a text and a transcript.

Owns which unit is counted in which language, and the rates. Both sides are normalised alike: english.py and chinese.py
say how, in other languages it is characters.py. Knows no recogniser.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

import jiwer

from services.scorer.metrics.base import ErrorRate, Reading
from services.scorer.metrics.characters import CHINESE, characters, parted
from services.scorer.metrics.characters import PARAMETERS as CHARACTERS
from services.scorer.metrics.counting import chinese, english
from services.scorer.metrics.counting.chinese_numbers import PACKAGES as NUMBERS
from services.scorer.metrics.counting.lattice import closest
from shared.scores import Reason, Transcript, Unscored

PARAMETERS = {**CHARACTERS, "counting": 2}
"""Part of the lock of every metric that counts errors. Raised when what is counted as an error changes."""
PACKAGES = ("jiwer", "opencc", *NUMBERS)

WITHOUT_SPACES = frozenset({*CHINESE, "ja", "th", "lo", "km", "my", "bo"})
"""Languages whose writing does not separate words, by primary subtag or code of Whisper."""

_IN_WORD = re.compile(r"(?<=\w)['’\uff07](?=\w)")
_LETTER = "\N{MODIFIER LETTER APOSTROPHE}"
"""Replaces every apostrophe. Unicode counts it as a letter, so it stays when signs are dropped."""


def word_error_rate(text: str, heard: str, language: str) -> Reading:
    """Return substitutions, deletions and insertions divided by the words of ``text``.

    1 if nothing was heard; above 1 if much was heard that is not in the text. Unscored for languages that are written
    without spaces and for texts without words. ``language``: a primary subtag or Whisper's code.
    """
    if language in WITHOUT_SPACES:
        return Unscored(Reason.LANGUAGE_NOT_COVERED, f"{language} is written without spaces between words")
    said, transcribed = _words(text, heard, language)
    if not said:
        return Unscored(Reason.NEEDS_TEXT, "the text has no words")
    return _counted(said, transcribed, heard)


def character_error_rate(text: str, heard: str, language: str) -> Reading:
    """Return substitutions, deletions and insertions divided by the characters of ``text``.

    In Chinese, a word of Latin letters counts as one character. In English, the characters are those of the words that
    the word error rate compares, unless the text has letters of another script. 1 if nothing was heard; above 1 if much
    was heard that is not in the text. Unscored if the text has no letters or digits. ``language``: as for
    `word_error_rate`.
    """
    said, transcribed = _characters(text, heard, language)
    if not said:
        return Unscored(Reason.NEEDS_TEXT, "the text has no letters or digits")
    return _counted_characters(said, transcribed, heard)


def spaced_words(text: str) -> str:
    """Return the words of a text in a language with spaces, joined by single blanks; empty if it has none."""
    return " ".join(parted(_IN_WORD.sub(_LETTER, text)))


def _words(text: str, heard: str, language: str) -> tuple[Sequence[str], Sequence[str]]:
    if language == "en":
        return closest(english.items(text), english.items(heard))
    return spaced_words(text).split(), spaced_words(heard).split()


def _characters(text: str, heard: str, language: str) -> tuple[Sequence[str], Sequence[str]]:
    if language in CHINESE:
        return closest(chinese.items(text, language), chinese.items(heard, language))
    if language == "en" and english.is_covered(text):
        said, transcribed = _words(text, heard, language)
        return tuple("".join(said)), tuple("".join(transcribed))
    return tuple(characters(text, language)), tuple(characters(heard, language))


def _counted(said: Sequence[str], transcribed: Sequence[str], heard: str) -> ErrorRate:
    """Return the rate over units, which contain no blank."""
    rate = float(jiwer.wer(" ".join(said), " ".join(transcribed)))
    return ErrorRate(rate, Transcript(heard, " ".join(said), " ".join(transcribed)))


def _counted_characters(said: Sequence[str], transcribed: Sequence[str], heard: str) -> ErrorRate:
    rate = _counted(said, transcribed, heard).value
    return ErrorRate(rate, Transcript(heard, _shown(said), _shown(transcribed)))


def _shown(units: Sequence[str]) -> str:
    """Return characters without blanks between them, and words of Latin letters with blanks around them."""
    return " ".join("".join(unit if len(unit) == 1 else f" {unit} " for unit in units).split())
