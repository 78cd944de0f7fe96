"""Japanese texts with kanji in kana, as espeak reads it. espeak calls every kanji "Chinese letter".

Owns which kana espeak does not say as they are written. Kana that a text has by itself are not changed.
"""

from __future__ import annotations

import re

from services.worker.engines.japanese.texts import read, runs_of, written_out

_SYLLABLES = {
    "ァ": "クグツフヴ",
    "ィ": "ウクグツテデフヴ",
    "ゥ": "トド",
    "ェ": "イウクグシジチツフヴ",
    "ォ": "ウクグツフヴ",
}
"""Small kana -> behind which espeak says both as one syllable."""
_LENGTHENED = {
    "ァ": "アカガサザタダナハバパマヤャラワ",
    "ィ": "イキギシジチヂニヒビピミリ",
    "ゥ": "ウクグスズツヅヌフブプムユュル",
    "ェ": "エケゲセゼテデネヘベペメレ",
    "ォ": "オコゴソゾトドノホボポモヨョロヲ",
}
"""Small kana -> behind which they only make the vowel longer. Behind others, espeak calls both "Japanese letter"."""
_SMALL = re.compile("([ァ-ヴー]?)([ァィゥェォヮ])")
_LARGE = dict(zip("ァィゥェォヮ", "アイウエオワ", strict=True))
_LONGER = re.compile("(?<=[ーッ])[ ー]*ー|(?<=([アイウエオ]))\\1(?=ー)")
_MARKS = str.maketrans({"．": "。", "，": "、", "-": "、", "・": " ", "　": " "})


def in_kana(text: str) -> str:
    """Return a Japanese text in kana, with spaces between accent phrases. Words of other scripts stay as they are.
    Raises `EngineError` that names what has no reading."""
    runs = runs_of(written_out(text, lambda _: True))
    return "".join(f" {run} " if foreign else _kana(run) for run, foreign in runs).strip()


def _kana(run: str) -> str:
    said = []
    for word in read(run):
        begins = " " if word.begins_a_phrase else ""
        said.append(begins + (word.kana or word.written.translate(_MARKS)))
    kana = _LONGER.sub("", _SMALL.sub(_plain, "".join(said)))
    return kana.replace("ンー", "ンン")


def _plain(found: re.Match[str]) -> str:
    before, small = found.groups()
    if before and before in _SYLLABLES.get(small, ""):
        return found.group()
    lengthens = before and before in _LENGTHENED.get(small, "")
    return before + ("ー" if lengthens else _LARGE[small])
