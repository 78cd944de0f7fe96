"""What espeak can say at once. It drops the excess without an error.

The limits are those of its buffers (translate.h of espeak-ng 1.52): N_WORD_BYTES 160 and N_WORD_PHONEMES 200 for a
word, N_PHONEME_LIST 1000 and N_CLAUSE_WORDS 300 for a clause, with stress marks counted as phonemes. A phoneme may be
prefixed or replaced by others before it is stored, so only a part of each is used. A clause of Korean is taken apart
into jamo, in a buffer of N_TR_SOURCE 800 bytes. Knows no library: it is given the phonemes.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence

from shared.values.text import in_form

_WORD_CHARACTERS = 50
_WORD_BYTES = 120
_WORD_PHONEMES = 110
_CLAUSE_PHONEMES = 600
_CLAUSE_WORDS = 200
_CLAUSE_JAMO_BYTES = 400

_IDEOGRAPHS = "\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003ffff"
"""Characters that are each a word of their own to espeak."""
_WORD = re.compile(rf"[^\s{_IDEOGRAPHS}]+")
_SHORT = 60
"""Characters. A text of at most this many always fits if its words are plain ones (`_is_plain`) and at most
`_PLAIN_NUMBERS` of them numbers."""
_PLAIN_WORD = 20
_PLAIN_NUMBER = 4
"""Digits. In any language these are at most 89 phonemes, and none of their words has more than 30."""
_PLAIN_NUMBERS = 3
_AROUND_WORDS = ".,;:!?…\"'()“”‘’«»"
_WITHIN_WORDS = re.compile("['’-]")
_STRESS = re.compile("[',%]")
_HANGUL = re.compile("[\uac00-\ud7a3]")
_CLAUSE_ENDS = re.compile(r"[.!?,;:…]+\s|\n|[。！？，、；：]")
"""Where a clause ends for certain."""


def fits(text: str, clauses_of: Callable[[str], Sequence[str]]) -> bool:
    """Return whether espeak says all of ``text``. ``clauses_of`` gives its phonemes as `library.phonemes` does."""
    words = _WORD.findall(text)
    if any(len(word) > _WORD_CHARACTERS or len(word.encode()) > _WORD_BYTES for word in words):
        return False
    if _HANGUL.search(text) and any(_jamo_bytes(run) > _CLAUSE_JAMO_BYTES for run in _CLAUSE_ENDS.split(text)):
        return False
    return all(_clause_fits(clause) for clause in clauses_of(text))


def surely_fits(text: str) -> bool:
    """Return whether ``text`` is far from every limit, as far as can be seen without asking espeak."""
    if len(text) > _SHORT:
        return False
    words = [word.strip(_AROUND_WORDS) for word in text.split()]
    return all(map(_is_plain, words)) and sum(word.isdigit() for word in words) <= _PLAIN_NUMBERS


def _is_plain(word: str) -> bool:
    """Return whether a word without its marks is of letters only, or a short number."""
    if word.isascii() and word.isdigit():
        return len(word) <= _PLAIN_NUMBER
    return len(word) <= _PLAIN_WORD and _WITHIN_WORDS.sub("", word).isalpha()


def _clause_fits(clause: str) -> bool:
    words = clause.split()
    counts = [_phonemes(word) for word in words]
    return len(words) <= _CLAUSE_WORDS and sum(counts) <= _CLAUSE_PHONEMES and max(counts, default=0) <= _WORD_PHONEMES


def _jamo_bytes(run: str) -> int:
    """Bytes of UTF-8 once Hangul syllables are taken apart (NFD, Unicode 3.12)."""
    return len(in_form("NFD", run).encode())


def _phonemes(word: str) -> int:
    return sum(1 for phoneme in word.split("_") if phoneme) + len(_STRESS.findall(word))
