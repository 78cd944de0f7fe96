"""Japanese texts to the phonemes of Kokoro.

The words and their kana are those of services/worker/engines/japanese. Owns how words and marks are written in
phonemes, and that words of other scripts are read as English.
"""

from __future__ import annotations

import re

from services.worker.engines.japanese.texts import read, runs_of, written_out
from services.worker.engines.japanese.words import JapaneseWord, words_of
from services.worker.engines.kokoro_phonemes.english import English
from services.worker.engines.kokoro_phonemes.kana import phonemes_of
from services.worker.engines.signs.reading import Reads
from shared.values.text import in_form

_OPENING, _CLOSING = "「『〈《【«", "」』〉》】»"
_MARKS = {
    **dict.fromkeys("。．", "."),
    **dict.fromkeys("、，", ","),
    **dict.fromkeys(_OPENING, "“"),
    **dict.fromkeys(_CLOSING, "”"),
    **dict.fromkeys("〜～―", "—"),
    "・": " ",
}
_BEFORE_WORDS = "(“"
_AROUND_STOP = re.compile(r"(?<![!\",.:;?»—…”]) (?=ʔ)|(?<=ʔ) (?![\"«“])")
"""Spaces beside a stopped consonant, of which the model has learned none."""


class Japanese:
    """The Japanese reader. For one thread. ``english``: the reader of words in other scripts."""

    def __init__(self, english: English) -> None:
        self._english = english
        words_of("あ")  # imports the package, and reads its dictionary

    def prepared(self, text: str, reads: Reads) -> str:
        return written_out(text, lambda one: reads(one, one))

    def phonemes(self, text: str) -> str:
        runs = runs_of(text)
        return " ".join(self._english.phonemes(run) if foreign else _native(run) for run, foreign in runs)


def _native(run: str) -> str:
    said = "".join(map(_written, read(run)))
    return _AROUND_STOP.sub("", said.replace("“ ", "“").replace("( ", "(")).strip()


def _written(word: JapaneseWord) -> str:
    if word.kana:
        return ("" if word.kana.startswith("ー") else " ") + phonemes_of(word.kana)
    mark = _MARKS.get(word.written) or in_form("NFKC", word.written)
    return f" {mark}" if mark in _BEFORE_WORDS else mark
