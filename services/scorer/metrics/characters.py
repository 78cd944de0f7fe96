"""How many characters of a text were heard otherwise: the error rate for every script, written with spaces or without.

Owns the normalisation, which is the same for all recognisers:

1. Unicode NFKC, then lower case: full-width letters and digits become the usual ones.
2. What is no letter, mark or number goes: punctuation, signs, blanks, emoji.
3. Chinese is brought into simplified characters (OpenCC, ``t2s``), text and transcript alike. A recogniser is told the
   language and not the script, and Whisper writes one clip in this and the next in the other.

What is left is compared code point by code point. Nothing else is done. Numbers stay as they are written: where the
text says 三百 and a recogniser writes 300, these are three errors.
"""

from __future__ import annotations

import re
import unicodedata
from functools import cache

import jiwer
import opencc

from services.scorer.metrics.base import Reading
from shared.scores import Reason, Unscored

PARAMETERS = {"characters": 2}
"""Part of the lock of every metric that normalises a text by this module: raised when the above changes."""
PACKAGES = ("jiwer", "opencc")

CHINESE = frozenset({"zh", "cmn", "yue"})
"""Languages that are written in two scripts."""

_SELECTORS = re.compile("[\ufe00-\ufe0f\u20e3\U000e0100-\U000e01ef]")
"""Marks that choose how the character before them is drawn."""


def parted(text: str) -> list[str]:
    """The letters, marks and numbers of ``text``, as they are parted by anything else that has a width; empty where it
    has none."""
    folded = _SELECTORS.sub("", unicodedata.normalize("NFKC", text).lower())
    categories = ((c, unicodedata.category(c)) for c in folded)
    return "".join(c if of[0] in "LMN" else " " for c, of in categories if of != "Cf").split()


def characters(text: str, language: str) -> str:
    """What is compared of ``text``; empty where it has no letters, marks or numbers. ``language``: a primary subtag."""
    return in_one_script("".join(parted(text)), language)


def in_one_script(text: str, language: str) -> str:
    """Chinese in simplified characters, other languages as they are. ``language``: a primary subtag."""
    return _simplified().convert(text) if language in CHINESE else text


def character_error_rate(text: str, heard: str, language: str) -> Reading:
    """Substitutions, deletions and insertions over the characters of ``text``. Above 1 where much was heard that is not
    there; 1 where nothing was heard. Unscored where the text has no characters. ``language``: as for `characters`."""
    said = characters(text, language)
    if not said:
        return Unscored(Reason.NEEDS_TEXT, "the text has no letters or digits")
    return float(jiwer.cer(said, characters(heard, language)))


@cache
def _simplified() -> opencc.OpenCC:
    return opencc.OpenCC("t2s")
