"""The words of a Japanese text with their kana, by the package pyopenjtalk-plus: the only module that imports it.

Owns what the package would do otherwise than is wanted here: Sudachi is not asked about homographs, 何 is read by a
rule instead of a model that may not be installed, so are 風 and ヶ where the package is wrong, and what has no reading
is told instead of left out.
"""

from __future__ import annotations

import contextlib
import re
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from services.worker.engines.base import EngineError
from services.worker.engines.spoken_characters import aloud
from shared.values.text import in_form

_KANA = re.compile("[ァ-ヴー]+")
_UNVOICED = "’"
"""The package's mark behind a syllable without voice."""
_BEFORE_NAN = tuple("タチツテトダヂヅデドナヌネノッ")
"""何 is ナン before these sounds, else ナニ. 何に is ナニニ."""
_BEFORE_FU = ("こんな", "そんな", "あんな", "どんな", "いう", "言う")
"""風 is フー, a manner, behind these."""
_OF_NAMES = ("ヶ", "ヵ")
"""In names of places that the package does not know. In those and in numbers that it knows, it reads them itself."""
_LONG = "ー"
_HYPHEN = "−"
"""The package writes every hyphen as a minus."""


@dataclass(frozen=True, slots=True)
class JapaneseWord:
    """A word, or a mark."""

    written: str
    """Letters and digits may be of full width, and numbers in kanji."""
    kana: str
    """As it is pronounced, in katakana. Empty if it has no reading."""
    begins_a_phrase: bool
    """It is a word, and does not belong to the accent phrase of the word before it."""

    @property
    def unread(self) -> str:
        """The characters that are spoken but have no reading."""
        return "" if self.kana else "".join(one for one in in_form("NFKC", self.written) if aloud(one))


@lru_cache(maxsize=256)
def words_of(text: str) -> Sequence[JapaneseWord]:
    """Return the words and marks of ``text``, without spaces. The package must be there (`packages`)."""
    said = _features(text)
    words = []
    for at, feature in enumerate(said):
        before = said[at - 1]["string"] if at else ""
        kana = _kana(feature, before, said[at + 1]["pron"] if at + 1 < len(said) else "")
        begins = bool(kana) and feature["chain_flag"] != 1 and not kana.startswith(_LONG)
        words.append(JapaneseWord(feature["string"].replace(_HYPHEN, "-"), kana, begins))
    return words


def _features(text: str) -> Sequence[Any]:
    with contextlib.redirect_stdout(sys.stderr):  # at its import, the package prints if onnxruntime is missing
        import pyopenjtalk

    try:
        features: Sequence[Any] = pyopenjtalk.run_frontend(text, use_sudachi_kanji_yomi=False, predict_nani=False)
    except (RuntimeError, ValueError, AssertionError, KeyError, IndexError) as error:
        raise EngineError(f"the model does not know {text.strip()[:30]!r}: {error}") from error
    return features


def _kana(feature: Any, before: str, follows: str) -> str:
    said: str = feature["pron"].replace(_UNVOICED, "")
    if feature["string"] == "何" and said == "ナニ" and follows.startswith(_BEFORE_NAN):
        return "ナン"
    if feature["string"] == "風" and before.endswith(_BEFORE_FU):
        return "フー"
    if feature["string"] in _OF_NAMES and _KANA.match(follows):
        return "ガ"
    return said if feature["mora_size"] and _KANA.fullmatch(said) else ""
