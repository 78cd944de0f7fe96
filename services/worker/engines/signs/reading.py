"""A text as an engine can read it: what it would leave out is put into words or refused.

Owns the order. Full-width characters are folded, and a minus before a number becomes a word. Then what the engine does
not read becomes an amount in words, the sign's name, or its plain form. What is still not read is refused by name.
Nothing that the engine reads by itself is changed.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Iterable
from itertools import islice

from services.worker.engines.signs.amounts import PRIMES, amounts_in_words
from services.worker.engines.signs.flags import flags_in_words, is_of_a_flag
from services.worker.engines.signs.names import minus, name_of
from services.worker.engines.spoken_characters import aloud, require_known
from shared.values.text import in_form

_MINUS = re.compile(r"[-\u2010-\u2013\u2212\ufe63\uff0d](?=[$€£¥₩₽₹]?[.,]?\d)")
"""With the dashes that people type for it. Between two numbers they mean a range, and after a letter a hyphen."""
_RAISED = re.compile("([⁺⁻])([⁰¹²³⁴-⁹]+)")
_USUAL = {**dict.fromkeys(map(ord, "\ufe0e\ufe0f\u20e3")), ord("٪"): "%", ord("؉"): "‰"}
"""What only says whether a sign is in colour or on a key, and signs that have the same meaning as usual ones."""
_NUMERO = re.compile(r"\b[nN][°º]\s?(?=\d)")
_EAST_ASIAN = "\u2e80"
"""From this character on, letters are written without spaces between words, so a letter before a minus does not make it
a hyphen."""
_WIDE = re.compile("[\uff01-\uff9f\uffe0-\uffee]+")
_TIMES = re.compile(r"(?<=\d)\s?\*\s?(?=\d)")
_TO_THE_POWER = re.compile(r"(?<=\d)\s?\*\*\s?(?=\d)")

Reads = Callable[[str, str], bool]
"""Whether a character is read. Its second argument is the word that the character is in, or what stands around a sign:
an engine may read a sign by itself and leave it out between digits."""
_MOST_PLACES = 20
"""Of a sign, in which it is looked at."""


def readable(text: str, language: str, reads: Reads) -> str:
    """Return ``text`` in characters that are read. Raises `EngineError` that names those that cannot be made readable.

    ``reads`` is only asked about characters that are spoken (`spoken_characters.aloud`), not about pauses.
    """
    text = _negatives(_raised(folded(_NUMERO.sub("№ ", text.translate(_USUAL))), language), language)
    if "*" in text and not reads("*", "*"):
        text = _TIMES.sub(" × ", _TO_THE_POWER.sub("^", text))
    text = amounts_in_words(text, language, lambda part: any(_unread(one, reads) for one in part))
    if not (silent := _silent(text, reads)):
        return text
    text = flags_in_words(text, language) if any(map(is_of_a_flag, silent)) else text
    text = "".join(_in_words(one, language, reads) if one in silent else one for one in text)
    left = _silent(text, reads)
    require_known(text, lambda character: character not in left)
    return text


def folded(text: str) -> str:
    """Return the text with full-width letters, digits and signs, and half-width kana, in their normal form (NFKC).
    Punctuation stays as it is, because a model may know it."""
    return _WIDE.sub(lambda found: _folded(found.group()), text)


def _folded(run: str) -> str:
    if all(aloud(in_form("NFKC", one)[0]) for one in run):
        return in_form("NFKC", run)
    return "".join(_plain(one) for one in run)


def _plain(character: str) -> str:
    plain = in_form("NFKC", character)
    return plain if aloud(plain[0]) or plain == "-" else character


def _negatives(text: str, language: str) -> str:
    def worded(found: re.Match[str]) -> str:
        before = text[found.start() - 1 : found.start()] if found.start() else ""
        joined = (before.isalnum() and before < _EAST_ASIAN) or before in tuple(")]%°")
        return found.group() if joined else f" {minus(language)} "

    return _MINUS.sub(worded, text)


def _raised(text: str, language: str) -> str:
    """Return the text with exponents that have a sign in full size."""

    def worded(found: re.Match[str]) -> str:
        sign = f"{minus(language)} " if found[1] == "⁻" else "+"
        return f" {sign}{in_form('NFKC', found[2])}"

    return _RAISED.sub(worded, text)


def _silent(text: str, reads: Reads) -> frozenset[str]:
    """Return the characters of ``text`` that are spoken but not read."""
    if text.isascii() and text.replace(" ", "").isalpha():
        return frozenset()
    found = {one for one in text if aloud(one) and unicodedata.category(one)[0] != "M"}
    return frozenset(one for one in found if not all(reads(one, place) for place in _places_of(text, one)))


def _places_of(text: str, character: str) -> Iterable[str]:
    """Return the word of a letter or digit, or what stands around a sign, at its first places."""
    if character.isalpha() or character.isdecimal():
        return (_word_of(text, character),)
    around = re.finditer(rf"(?:\S{{1,4}}\s)?\S{{0,4}}{re.escape(character)}\S{{0,4}}(?:\s\S{{1,4}})?", text)
    return dict.fromkeys(found.group() for found in islice(around, _MOST_PLACES))


def _word_of(text: str, character: str) -> str:
    """Return the word around the first occurrence of the character, at most 10 characters on either side."""
    at = text.index(character)
    before = re.search(r"\w*$", text[max(0, at - 10) : at])
    after = re.match(r"\w*", text[at + 1 : at + 11])
    assert before is not None
    assert after is not None
    return before.group() + character + after.group()


def _unread(character: str, reads: Reads) -> bool:
    says = aloud(character) or character in PRIMES
    return says and unicodedata.category(character)[0] != "M" and not reads(character, character)


def _in_words(character: str, language: str, reads: Reads) -> str:
    """Return the sign by itself if it is read so, else its name, else its compatibility form with the names of its
    parts, else the sign as it is."""
    if not character.isalpha() and reads(character, character):
        return f" {character} "
    plain = in_form("NFKC", character)
    spelled = "".join((name_of(one, language) or one) if _unread(one, reads) else one for one in plain)
    for said in (name_of(character, language), spelled):
        if said and said != character and not _silent(said, reads):
            return f" {said} "
    return character
