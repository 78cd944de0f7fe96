"""Turns an English text into the words that a recogniser would write.

Owns the normalisation: letter case, punctuation, numbers. What it does, in order:

1. Unicode NFKC, then lower case; curly apostrophes become straight ones.
2. Numbers become words: grouping commas are dropped, a point is read "point" and the digits after it one by one,
   the ordinals 1st, 2nd … as ordinals, `%` as "percent". Years, dates and times are read as plain numbers.
3. `&` becomes "and"; a hyphen or dash separates words; every other sign except an apostrophe inside a word is dropped.
4. Accents are dropped, because the recogniser's dictionary has none, and so are characters without a width, such as
   soft hyphens.
"""

from __future__ import annotations

import re
import unicodedata

from shared.values.text import in_form

# fmt: off
_SMALL = (
    "zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine",
    "ten", "eleven", "twelve", "thirteen", "fourteen", "fifteen", "sixteen", "seventeen", "eighteen", "nineteen",
)
_TENS = ("", "", "twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety")
# fmt: on
_SCALES = ((10**9, "billion"), (10**6, "million"), (10**3, "thousand"), (100, "hundred"))
_ORDINALS = {
    "one": "first",
    "two": "second",
    "three": "third",
    "five": "fifth",
    "eight": "eighth",
    "nine": "ninth",
    "twelve": "twelfth",
}
_NUMBER = re.compile(r"(?P<whole>\d{1,3}(?:,\d{3})+|\d+)(?:\.(?P<part>\d+)|(?P<nth>st|nd|rd|th)\b)?")
_LONGEST_NUMBER = 12
_UNHEARD = ("Mn", "Cf")
"""Unicode categories that are dropped: marks over and under a letter, and formatting."""


def cardinal(number: int) -> str:
    """Return the words of a number from 0 to 999,999,999,999, in the American way: without "and"."""
    if number < 20:
        return _SMALL[number]
    if number < 100:
        return _TENS[number // 10] + (f" {_SMALL[number % 10]}" if number % 10 else "")
    size, name = next((size, name) for size, name in _SCALES if number >= size)
    rest = f" {cardinal(number % size)}" if number % size else ""
    return f"{cardinal(number // size)} {name}{rest}"


def ordinal(number: int) -> str:
    """Return the words of an ordinal: "twenty first" for 21."""
    *head, last = cardinal(number).split()
    regular = f"{last[:-1]}ieth" if last.endswith("y") else f"{last}th"
    return " ".join((*head, _ORDINALS.get(last, regular)))


def _digits(text: str) -> str:
    return " ".join(_SMALL[int(digit)] for digit in text)


def _spoken(match: re.Match[str]) -> str:
    whole = match["whole"].replace(",", "")
    if len(whole) > _LONGEST_NUMBER:
        return f" {_digits(whole)} "
    if match["nth"]:
        return f" {ordinal(int(whole))} "
    words = cardinal(int(whole))
    return f" {words} point {_digits(match['part'])} " if match["part"] else f" {words} "


def words(text: str) -> str:
    """Return the words of ``text``, joined by single blanks; empty if it has none."""
    text = in_form("NFKC", text).lower().replace("’", "'").replace("‘", "'")
    text = _NUMBER.sub(_spoken, text).replace("%", " percent ").replace("&", " and ")
    text = "".join(c for c in in_form("NFD", text) if unicodedata.category(c) not in _UNHEARD)
    text = re.sub(r"[^a-z']+", " ", text)
    return " ".join(word.strip("'") for word in text.split() if word.strip("'"))
