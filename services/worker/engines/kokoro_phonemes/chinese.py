"""Chinese texts to the phonemes of Kokoro, by the package misaki: the only module that imports it.

misaki cuts a text into words (jieba), finds their pinyin (pypinyin) and puts that into Kokoro's phonemes. Owns what it
would say wrongly or not at all: numbers as people write them, and words of other scripts, which are read as English.
"""

from __future__ import annotations

import logging
import re

from services.worker.engines.base import EngineError
from services.worker.engines.kokoro_phonemes.english import English
from services.worker.engines.pauses import with_pauses
from services.worker.engines.signs.reading import Reads, folded, readable
from shared.values.text import in_form

_EAST_ASIAN = "\u2e80-\u9fff\uac00-\ud7af\uf900-\ufaff\U00020000-\U0003ffff"
_LETTER = rf"(?:(?![{_EAST_ASIAN}])[^\W\d_])"
_FOREIGN = re.compile(rf"({_LETTER}+(?:[ '’-]+{_LETTER}+)*)")
_DIGITS = str.maketrans("0123456789", "零一二三四五六七八九")
_DIGIT_BY_DIGIT = re.compile(r"(?<![\d.])(?:0\d+|\d{13,})(?!\.?\d)|(?<=\d\.)\d{13,}|\d{17,}")
"""Numbers with a zero in front, and longer ones than the package has words for."""
_THOUSANDS = re.compile(r"(?<=\d),(?=\d{3}(?!\d))")
_DATE = re.compile(r"(?<!\d)(\d{4})-(\d{1,2})-(\d{1,2})(?!\d)")
_TIME = re.compile(r"(?<![\d:])([01]?\d|2[0-4]):([0-5]\d)(?![\d:])")
_SHARE = re.compile(r"(\d+(?:\.\d+)?)\s?([%‰])")
_RANGE = re.compile(r"(?<![\d.-])(\d{1,3})[-~–](\d{1,3})(?![\d.-])")
_CIRCLE = re.compile("(?<=[零一二三四五六七八九])○|○(?=[零一二三四五六七八九])")
"""A sign that draws a box elsewhere, written for zero in years."""
_HYPHEN = re.compile(r"-(?=\d)")
"""A minus is a word already when this is looked for."""


def written_out(text: str, reads: Reads) -> str:
    """Return a Chinese text with dates, times, shares, ranges and signs in characters, or in numbers that cn2an reads.
    ``reads``: whether a character is read. Raises `EngineError` that names those that are not and have no words."""
    text = folded(in_form("NFC", text)).replace("〇", "零")
    text = _RANGE.sub(r"\1到\2", _CIRCLE.sub("零", text))
    text = _DATE.sub(r"\1年\2月\3日", _THOUSANDS.sub("", text))
    text = _TIME.sub(_time, text)
    text = _SHARE.sub(lambda found: f"{'百分之' if found[2] == '%' else '千分之'}{found[1]}", text)
    text = _DIGIT_BY_DIGIT.sub(lambda found: found.group().translate(_DIGITS), text)
    return _HYPHEN.sub(" ", readable(with_pauses(text, "，"), "zh", reads))


class Chinese:
    """The Mandarin reader. For one thread. ``english``: the reader of words in other scripts."""

    def __init__(self, english: English) -> None:
        import jieba  # type: ignore[import-untyped]
        from misaki.zh import ZHG2P  # type: ignore[import-untyped]

        jieba.setLogLevel(logging.WARNING)
        jieba.initialize()
        self._package = ZHG2P()
        self._english = english

    def prepared(self, text: str, reads: Reads) -> str:
        return written_out(folded(in_form("NFC", text)).replace("@", " at "), reads)

    def phonemes(self, text: str) -> str:
        runs = enumerate(_FOREIGN.split(text))
        return " ".join(self._english.phonemes(run) if at % 2 else self._native(run) for at, run in runs if run.strip())

    def _native(self, run: str) -> str:
        try:
            said: str = self._package(run)[0]
        except (ValueError, AssertionError, KeyError, IndexError) as error:
            raise EngineError(f"the model does not know {run.strip()[:30]!r}: {error}") from error
        return said


def _time(found: re.Match[str]) -> str:
    minutes = found[2].translate(_DIGITS) if found[2][0] == "0" else found[2]
    return f"{found[1]}点" if found[2] == "00" else f"{found[1]}点{minutes}分"
