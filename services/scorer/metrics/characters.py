"""The characters of a text, in every script.

Owns the normalisation that does not know the language's words:

1. Unicode NFKC, then lower case: full-width letters and digits become the usual ones.
2. Everything but letters, marks and numbers is dropped: punctuation, signs, blanks, emoji.
3. Chinese is converted to simplified characters (OpenCC, ``t2s``), in the text and in the transcript. A recogniser is
   given the language but not the script, and Whisper writes one clip in the one script and the next in the other.

Numbers stay as they are written. English and Chinese, where they do not, are in the folder counting.
"""

from __future__ import annotations

import re
import unicodedata
from functools import cache

import opencc

from shared.values.text import in_form

PARAMETERS = {"characters": 2}
"""Part of the lock of every metric that normalises text with this module. Raised when the rules above change."""

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


@cache
def _simplified() -> opencc.OpenCC:
    return opencc.OpenCC("t2s")
