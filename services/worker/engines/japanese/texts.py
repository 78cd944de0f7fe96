"""A Japanese text as the reader of words can read it, and what of it the reader reads.

Owns what is kanji and what is foreign in a Japanese text, and how numbers, dates, times and signs are written in it.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Sequence

from services.worker.engines.japanese.words import JapaneseWord, words_of
from services.worker.engines.pauses import with_pauses
from services.worker.engines.signs.reading import folded, readable
from services.worker.engines.spoken_characters import require_known
from shared.values.text import in_form

_HAN = "\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003ffff"
_KANJI = re.compile(f"[{_HAN}々〆〇]")
_JAPANESE = f"\u3041-\u3096\u309d-\u309f\u30a1-\u30fa\u30fc-\u30ff\u31f0-\u31ff々〆〇{_HAN}"
_JAPANESE_LETTER = re.compile(f"[{_JAPANESE}]")
_FOREIGN = rf"(?:(?![{_JAPANESE}])[^\W\d_])"
_FOREIGN_RUN = re.compile(rf"({_FOREIGN}+(?:[ '’-]+{_FOREIGN}+)*)")
_RARE = str.maketrans(
    {
        **dict(zip("ㇰㇱㇲㇳㇴㇵㇶㇷㇸㇹㇺㇻㇼㇽㇾㇿ", "クシストヌハヒフヘホムラリルレロ", strict=True)),
        **dict(zip("ヷヸヹヺ", ("ヴァ", "ヴィ", "ヴェ", "ヴォ"), strict=True)),
        "ゕ": "カ",
        "ゖ": "ケ",
        "〒": "郵便番号",
        "☆": "星",
        "★": "星",
    }
)
"""The package leaves them out, and CLDR has no names for the three signs."""
_UNITS = {
    "km": "キロメートル",
    "cm": "センチメートル",
    "mm": "ミリメートル",
    "m": "メートル",
    "kg": "キログラム",
    "mg": "ミリグラム",
    "g": "グラム",
    "ml": "ミリリットル",
    "L": "リットル",
}
_UNIT = re.compile(rf"(?<=\d)[ \u3000]?({'|'.join(_UNITS)})(?![A-Za-z0-9²³/])")
_SMALL_KE = re.compile(rf"(?<![{_HAN}\d十百千])[ヵヶ]")
"""In 三ヶ月 the package reads it."""
_ENCLOSED = re.compile("[\u2160-\u2188\u2460-\u249b\u24ea-\u24ff\u2776-\u2793\u3251-\u325f\u32b1-\u32bf]")
"""Roman numbers, and numbers in circles and brackets."""
_FRACTION = re.compile("[\u00bc-\u00be\u2150-\u215e]")
_ZERO = re.compile("(?<![〇一二三四五六七八九十百千万])〇+(?![一二三四五六七八九十百千万〇])")
_DATE = re.compile(r"(?<![\d/-])(\d{4})([-/])(\d{1,2})\2(\d{1,2})(?![\d/-])")
_TIME = re.compile(r"(?<![\d:])([01]?\d|2[0-4]):([0-5]\d)(?![\d:])")
_RANGE = re.compile(r"(?<![\d.-])(\d{1,3})[-–](?=[1-9]\d{0,2}(?![\d.-]))")
_UNTIL = re.compile(r"[~〜～](?=\d)")
_BEFORE_COUNTER = re.compile(rf"(?<=\d)[ \u3000]+(?=[{_JAPANESE}])")
_NOTHING_TO_LENGTHEN = re.compile(rf"(?<![{_JAPANESE}\d])ー+")
_HYPHEN_OF_A_WORD = re.compile(rf"(?<={_FOREIGN})-(?=\d)")
_WHERE_SCRIPTS_MEET = re.compile(rf"(?<={_FOREIGN})(?=[{_JAPANESE}])|(?<=[{_JAPANESE}])(?={_FOREIGN})")
_SPACES = re.compile(r"\s+")


def has_kanji(text: str) -> bool:
    return _KANJI.search(text) is not None


def is_kanji(character: str) -> bool:
    return _KANJI.fullmatch(character) is not None


def apart(text: str) -> str:
    """Return a text with spaces between Japanese and the words of other scripts."""
    return _WHERE_SCRIPTS_MEET.sub(" ", folded(text))


def written_out(text: str, reads_foreign: Callable[[str], bool]) -> str:
    """Return a Japanese text with dates, times, ranges and signs in words. ``reads_foreign``: whether a letter of
    another script is read. Raises `EngineError` that names what is not read and has no words."""
    text = _SMALL_KE.sub(_large, folded(in_form("NFC", text)).translate(_RARE))
    text = _ENCLOSED.sub(lambda found: f" {unicodedata.numeric(found.group()):.0f} ", text)
    text = _FRACTION.sub(_fraction, text)
    text = _ZERO.sub(lambda found: "マル" * len(found.group()), text)
    text = _UNIT.sub(lambda found: _UNITS[found[1]], text)
    text = _RANGE.sub(r"\1から", _DATE.sub(r"\1年\3月\4日", text))
    text = _UNTIL.sub("から", _TIME.sub(_time, text))
    text = with_pauses(_NOTHING_TO_LENGTHEN.sub("、", text), "、")

    def reads(character: str, place: str) -> bool:
        if character.isdecimal():
            return character.isascii()
        if not character.isalpha() and character != "〇":
            return False
        return _is_read(character, place) if _JAPANESE_LETTER.match(character) else reads_foreign(character)

    return _BEFORE_COUNTER.sub("", _HYPHEN_OF_A_WORD.sub(" ", readable(text, "ja", reads)))


def all_read(text: str) -> str:
    """Return a Japanese text written out for an engine that asks the package itself, which spells Latin letters. Raises
    `EngineError` that names what the package would leave out."""
    text = written_out(text, lambda letter: any(word.kana for word in words_of(letter)))
    read(text)
    return text


def runs_of(text: str) -> Sequence[tuple[str, bool]]:
    """Return the text in runs, with whether a run is in another script."""
    return [(run, at % 2 == 1) for at, run in enumerate(_FOREIGN_RUN.split(text)) if run.strip()]


def read(run: str) -> Sequence[JapaneseWord]:
    """Return the words and marks of a text that was written out. Raises `EngineError` that names what is not read."""
    words = [word for part in _SPACES.split(run) if part for word in words_of(part)]
    require_known("".join(word.unread for word in words), lambda _: False)
    return words


def _is_read(character: str, place: str) -> bool:
    return all(character not in word.written or word.kana for word in words_of(place))


def _large(found: re.Match[str]) -> str:
    return {"ヵ": "カ", "ヶ": "ケ"}[found.group()]


def _fraction(found: re.Match[str]) -> str:
    upper, _, lower = in_form("NFKC", found.group()).partition("\u2044")
    return f" {lower}分の{upper} "


def _time(found: re.Match[str]) -> str:
    return f"{found[1]}時" if found[2] == "00" else f"{found[1]}時{int(found[2])}分"
