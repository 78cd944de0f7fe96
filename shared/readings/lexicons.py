"""Lexicons: how words are to be read, written as other words (an alias in W3C's Pronunciation Lexicon Specification).

Owns the limits of a lexicon, its hash, and where its entries match in a text. Knows neither HTTP nor files. Readings
are ordinary writing and not phonemes, because every engine reads writing and no two share their phonemes.
"""

from __future__ import annotations

import hashlib
import unicodedata
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from shared.catalog import canonical_json
from shared.values.members import known

MAX_ENTRIES = 500
LONGEST_WORD = 32
LONGEST_READING = 200
MAX_CHARS = 20_000
"""Most characters in all words and readings together."""
_SCHEMA = 1
_UNSPACED = ("CJK", "HIRAGANA", "KATAKANA", "BOPOMOFO", "HANGUL", "THAI", "LAO", "KHMER", "MYANMAR")
"""First words of the Unicode names of letters that are written without spaces between words, or, in Korean, with
endings that follow a word directly."""


@dataclass(frozen=True, slots=True)
class LexiconUsed:
    """The lexicon that a job was accepted with."""

    name: str
    version: str
    sha256: str

    @property
    def label(self) -> str:
        """Its name, version and the beginning of its hash, for people."""
        return f"{self.name} {self.version} ({self.sha256[:12]})"

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> LexiconUsed:
        """Read it from an object that has these members and perhaps others."""
        return cls(**known(cls, data))


@dataclass(frozen=True)
class Lexicon:
    """Words and how to read each. ``language``: a BCP 47 tag; only texts of that language are changed."""

    name: str
    version: str
    entries: Mapping[str, str]
    language: str | None = None

    @cached_property
    def used(self) -> LexiconUsed:
        """Return its name, version and hash. The hash covers what changes a text: the entries and the language."""
        decides = {"schema": _SCHEMA, "entries": dict(self.entries), "language": self.language}
        return LexiconUsed(self.name, self.version, hashlib.sha256(canonical_json(decides)).hexdigest())

    def to_json(self) -> dict[str, Any]:
        said = {"name": self.name, "version": self.version, "entries": dict(self.entries)}
        return said if self.language is None else {**said, "language": self.language}

    def covers(self, language: str) -> bool:
        """Return whether texts of this language are changed. Regions do not count: `zh-TW` is `zh`."""
        return self.language is None or _primary(self.language) == _primary(language)

    def respelled(self, text: str) -> str:
        """Return ``text`` with every word of the lexicon replaced by its reading.

        Where several match, the longest counts. A reading is not searched again. In scripts with spaces between words,
        a word matches only as a whole. Upper and lower case differ.
        """
        there = _by_first_letter(word for word in self.entries if word in text)
        parts: list[str] = []
        kept, at = 0, 0
        while there and at < len(text):
            word = _longest_at(there.get(text[at]), text, at)
            if word is None:
                at += 1
                continue
            parts += [text[kept:at], self.entries[word]]
            kept = at = at + len(word)
        return "".join([*parts, text[kept:]]) if parts else text


_Letters = dict[str, Any]
"""The words that go on with a letter, by that letter; under the empty text, the word that ends here."""


def _by_first_letter(words: Iterator[str]) -> _Letters:
    tree: _Letters = {}
    for word in words:
        place = tree
        for letter in word:
            place = place.setdefault(letter, {})
        place[""] = word
    return tree


def _longest_at(words: _Letters | None, text: str, begin: int) -> str | None:
    """Return the longest of ``words``, which all begin with the letter at ``begin``, that is there as a whole word."""
    if words is None or _within_word(text, begin):
        return None
    found, end = None, begin + 1
    while words is not None:
        if "" in words and not _within_word(text, end):
            found = words[""]
        words = words.get(text[end]) if end < len(text) else None
        end += 1
    return found


def _within_word(text: str, at: int) -> bool:
    """Return whether the characters before and at ``at`` belong to one word."""
    return 0 < at < len(text) and _spaced(text[at - 1]) and _spaced(text[at])


def _spaced(character: str) -> bool:
    """Return whether it is a letter, digit or mark of a script that has spaces between words."""
    if character.isascii():
        return character.isalnum()
    if unicodedata.category(character)[0] not in "LMN":
        return False
    return not unicodedata.name(character, "").startswith(_UNSPACED)


def _primary(tag: str) -> str:
    return tag.partition("-")[0].lower()
