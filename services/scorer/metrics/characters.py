"""The character error rate, for every script, written with or without spaces.

Owns the normalisation, which is the same for all recognisers:

1. Unicode NFKC, then lower case: full-width letters and digits become the usual ones.
2. Everything but letters, marks and numbers is dropped: punctuation, signs, blanks, emoji.
3. Chinese is converted to simplified characters (OpenCC, ``t2s``), in the text and in the transcript. A recogniser is
   given the language but not the script, and Whisper writes one clip in the one script and the next in the other.

What is left is compared code point by code point. Nothing else is done. Numbers stay as they are written: if the text
says 三百 and a recogniser writes 300, these are three errors.
"""

from __future__ import annotations

import re
import unicodedata
from functools import cache

import jiwer
import opencc

from services.scorer.metrics.base import Reading
from shared.scores import Reason, Unscored
from shared.values.text import in_form

PARAMETERS = {"characters": 2}
"""Part of the lock of every metric that normalises text with this module. Raised when the rules above change."""
PACKAGES = ("jiwer", "opencc")

CHINESE = frozenset({"zh", "cmn", "yue"})
"""Languages that are written in traditional or in simplified characters."""

_SELECTORS = re.compile("[\ufe00-\ufe0f\u20e3\U000e0100-\U000e01ef]")
"""Marks that choose how the preceding character is drawn."""


def parted(text: str) -> list[str]:
    """Return the runs of letters, marks and numbers in ``text``.

    Anything else that has a width separates two runs. Empty if the text has no such characters.
    """
    folded = _SELECTORS.sub("", in_form("NFKC", text).lower())
    categories = ((c, unicodedata.category(c)) for c in folded)
    return "".join(c if of[0] in "LMN" else " " for c, of in categories if of != "Cf").split()


def characters(text: str, language: str) -> str:
    """Return the characters of ``text`` that are compared; empty if it has no letters, marks or numbers.

    ``language`` is a primary subtag.
    """
    return in_one_script("".join(parted(text)), language)


def in_one_script(text: str, language: str) -> str:
    """Return Chinese text in simplified characters, other text unchanged. ``language`` is a primary subtag."""
    return _simplified().convert(text) if language in CHINESE else text


def character_error_rate(text: str, heard: str, language: str) -> Reading:
    """Return substitutions, deletions and insertions divided by the characters of ``text``.

    1 if nothing was heard; above 1 if much was heard that is not in the text. Unscored if the text has no characters.
    ``language``: as for `characters`.
    """
    said = characters(text, language)
    if not said:
        return Unscored(Reason.NEEDS_TEXT, "the text has no letters or digits")
    return float(jiwer.cer(said, characters(heard, language)))


@cache
def _simplified() -> opencc.OpenCC:
    return opencc.OpenCC("t2s")
