"""Finds every way to read an English text aloud.

Owns what is a word and what is a number, a sign or an abbreviation; their readings are in english_numbers.py and
english_words.py. What it does:

1. Unicode NFKC, lower case, curly apostrophes straight; accents and characters without a width are dropped.
2. Numbers become words, in every way that they are read: quantities, years, digit by digit, ordinals, decades,
   fractions, money, times, dates, percentages, with units. The same for titles, other abbreviations and signs.
3. British spellings become American ones where the sound is the same.
4. A hyphen or dash separates words; every other sign except an apostrophe inside a word is dropped.

Contractions stay as they are: "don't" and "do not" are heard as two different things. So do fillers such as "um".
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Iterator, Mapping

from services.scorer.metrics.counting import english_numbers as numbers
from services.scorer.metrics.counting.english_spelling import american
from services.scorer.metrics.counting.english_words import (
    MONEY,
    MONTHS,
    SCALES,
    SIGNS,
    TITLES,
    TWO_WORDS,
    UNITS,
    WITH_FULL_STOP,
)
from services.scorer.metrics.counting.folding import folded
from services.scorer.metrics.counting.lattice import Item, Reading, first_reading, plain
from shared.values.text import in_form

_UNHEARD = ("Mn", "Cf")
"""Unicode categories that are dropped: marks over and under a letter, and formatting."""


def _any(words: Mapping[str, object]) -> str:
    return "|".join(re.escape(word) for word in sorted(words, key=len, reverse=True))


_NAMES = tuple(dict.fromkeys(MONTHS.values()))
_N = r"(?:\d{1,3}(?:,\d{3})+|\d+)(?:\.\d+)?"
_END = r"(?![a-z0-9])"
_BELOW = r"(?<![\w-])-"
_NTH = r"(?:st|nd|rd|th)"
_CLOCK = r"(?:\s?(?:[ap]m\b|[ap]\.m\b\.?))"
_PATTERNS: Mapping[str, str] = {
    "money": rf"(?P<owed>{_BELOW})?(?P<currency>[{''.join(MONEY)}])\s?(?P<sum>{_N})"
    rf"(?:\s?(?P<scale>{_any(SCALES)}){_END})?",
    "date": r"(?<![\d/-])(?P<in_year>\d{4})(?P<between>[/-])(?P<in_month>0?[1-9]|1[0-2])(?P=between)"
    r"(?P<in_day>0?[1-9]|[12]\d|3[01])(?![\d/-])",
    "clock": rf"(?P<hour>[01]?\d|2[0-4])(?::|\.(?=\d\d{_CLOCK}))(?P<minute>[0-5]\d)(?![:\d])(?P<half>{_CLOCK})?",
    "hour_only": rf"(?P<oclock>1[0-2]|0?\d)(?P<half_only>{_CLOCK})",
    "monthday": rf"(?P<month>{_any(MONTHS)})\s(?P<day>3[01]|[12]\d|[1-9])(?P<day_nth>{_NTH})?(?![\d,.:/%-]\d|\w|%)",
    "daymonth": rf"(?P<first>3[01]|[12]\d|[1-9])(?P<first_nth>{_NTH})?\s(?P<then>{_any(MONTHS)}){_END}",
    "version": r"\d+(?:\.\d+){2,}",
    "nth": rf"(?P<place>{_N}){_NTH}{_END}",
    "decade": rf"'?(?P<years>\d0|\d\d\d0)(?:'?s){_END}",
    "mixed": r"(?P<wholes>\d+)\s(?P<one_over>\d{1,2})/(?P<one_under>\d{1,2})(?![\d/])",
    "parted": r"(?P<over>\d{1,3})/(?P<under>\d{1,3})(?![\d/])",
    "percent": rf"(?P<loss>{_BELOW})?(?P<share>{_N})\s?%",
    "measured": rf"(?P<below>{_BELOW})?(?P<amount>{_N})[\s-]?(?P<unit>{_any(UNITS)}){_END}\.?",
    "numbered": rf"(?:no\.|nos\.|#)\s?(?P<which>{_N})",
    "number": rf"(?P<minus>{_BELOW})?(?P<bare>{_N}|\.\d+)",
    "title": rf"(?<![a-z'])(?P<title_word>{_any(TITLES)}){_END}\.?",
    "stopped": rf"(?<![a-z'])(?P<short>{_any(WITH_FULL_STOP)})\.",
    "initials": r"(?<![a-z])(?:[a-z]\.){2,}(?:[a-z](?![a-z]))?|(?<![a-z])(?:[a-z]\.)+[a-z](?![a-z])",
    "range": r"(?<=\d)\s?-\s?(?=\d)",
    "by": r"(?<=\d)\s?x\s?(?=\d)",
    "dot": r"(?<=[a-z0-9])\.(?=[a-z]{2})",
    "sign": f"[{re.escape(''.join(SIGNS))}]",
    "word": r"[a-z]+(?:'[a-z]+)*",
}
_TOKEN = re.compile("|".join(f"(?P<{name}>{pattern})" for name, pattern in _PATTERNS.items()), re.ASCII)


def words(text: str) -> str:
    """Return the first reading of ``text`` in words joined by single blanks; empty if it has none."""
    return " ".join(first_reading(items(text)))


def items(text: str) -> list[Item]:
    """Return what ``text`` consists of, each with its readings, to be compared by `lattice.closest`."""
    return [item for match in _TOKEN.finditer(_folded(text)) for item in _ITEMS[match.lastgroup or ""](match)]


def is_covered(text: str) -> bool:
    """Return whether ``text`` has words, and no letters of another script, which have no readings."""
    letters = [c for c in _folded(text) if c.isalnum()]
    return bool(letters) and all(c.isascii() for c in letters)


def _folded(text: str) -> str:
    text = in_form("NFD", folded(text).replace("per cent", "percent"))
    return "".join(c for c in text if unicodedata.category(c) not in _UNHEARD)


def _read(*phrases: str) -> Item:
    return tuple(tuple(phrase.split()) for phrase in phrases)


def _after(number: Item, *phrases: str) -> Item:
    return tuple((*one, *phrase) for phrase in _read(*phrases) for one in number)


def _money(match: re.Match[str]) -> Iterator[Item]:
    yield from _minus(match["owed"])
    one, several, hundredths = MONEY[match["currency"]]
    amount, scale = match["sum"], match["scale"]
    if scale:
        yield _after(numbers.number(amount), f"{SCALES[scale]} {several}", f"{SCALES[scale]} {one}")
        return
    before, _, after = amount.partition(".")
    name = one if before == "1" else several
    if len(after) != 2:
        yield _after(numbers.number(amount), name, several, one)  # "a 5 dollar note"
    elif after == "00":
        yield _after(numbers.whole(before), name, one)
    else:
        cents = numbers.cardinal(int(after))
        wholes = numbers.whole(before)
        readings = [
            *((*head, name, (None, "and"), *cents, (None, hundredths)) for head in wholes),
            *((*head, *cents) for head in wholes),
            *_after(numbers.number(amount), several),
        ]
        yield (*([(*cents, hundredths)] if before == "0" else []), *readings)


def _minus(sign: str | None) -> Iterator[Item]:
    if sign:
        yield _read("minus", "negative")


def _half(text: str | None) -> Iterator[Item]:
    if text:
        yield plain("am" if "a" in text else "pm")


def _date(match: re.Match[str]) -> Iterator[Item]:
    name = _NAMES[int(match["in_month"]) - 1]
    day = int(match["in_day"])
    nth: Reading = ((None, "the"), *numbers.ordinal(day))
    heads: Item = ((name, *nth), (name, *numbers.cardinal(day)))
    years = numbers.whole(match["in_year"])
    digits = (*numbers.digits(match["in_month"]), *numbers.digits(match["in_day"]))
    yield (
        *((*head, *year) for head in (*heads, (*nth, (None, "of"), name)) for year in years),
        *((*year, *tail) for tail in (*heads, digits) for year in years),
    )


def _clock(match: re.Match[str]) -> Iterator[Item]:
    yield numbers.time_of_day(int(match["hour"]), int(match["minute"]))
    yield from _half(match["half"])


def _hour_only(match: re.Match[str]) -> Iterator[Item]:
    yield tuple((*number, (None, "o'clock")) for number in numbers.whole(match["oclock"]))
    yield from _half(match["half_only"])


def _month_day(match: re.Match[str]) -> Iterator[Item]:
    yield plain(MONTHS[match["month"]])
    day = int(match["day"])
    nth: Reading = ((None, "the"), *numbers.ordinal(day))
    yield (nth,) if match["day_nth"] else (numbers.cardinal(day), nth)


def _day_month(match: re.Match[str]) -> Iterator[Item]:
    day = int(match["first"])
    nth: Reading = ((None, "the"), *numbers.ordinal(day), (None, "of"))
    yield (nth,) if match["first_nth"] else (numbers.cardinal(day), nth)
    yield plain(MONTHS[match["then"]])


def _version(match: re.Match[str]) -> Iterator[Item]:
    for place, part in enumerate(match[0].split(".")):
        if place:
            yield (("point",), ("dot",), ())
        yield numbers.whole(part)


def _nth(match: re.Match[str]) -> Iterator[Item]:
    number = match["place"].replace(",", "")
    yield (numbers.ordinal(int(number)),) if number.isdecimal() and len(number) < 12 else numbers.number(match["place"])


def _decade(match: re.Match[str]) -> Iterator[Item]:
    century, years = match["years"][:-2], match["years"][-2:]
    if century and not int(years):
        yield (*numbers.cardinal(int(century)), "hundreds"), numbers.plural(int(match["years"]))
    else:
        yield ((*numbers.whole(century)[0], *numbers.plural(int(years))) if century else numbers.plural(int(years)),)


def _mixed(match: re.Match[str]) -> Iterator[Item]:
    yield numbers.whole(match["wholes"])
    fraction = numbers.parts(int(match["one_over"]), int(match["one_under"]))
    yield tuple(("and", *reading) for reading in fraction)


def _parted(match: re.Match[str]) -> Iterator[Item]:
    yield numbers.parts(int(match["over"]), int(match["under"]))


def _percent(match: re.Match[str]) -> Iterator[Item]:
    yield from _minus(match["loss"])
    yield _after(numbers.number(match["share"]), "percent")


def _measured(match: re.Match[str]) -> Iterator[Item]:
    yield from _minus(match["below"])
    yield numbers.number(match["amount"])
    written = re.sub(r"[^a-z]", "", match["unit"])
    yield _read(*([written] if written else []), *UNITS[match["unit"]])


def _numbered(match: re.Match[str]) -> Iterator[Item]:
    yield _read("number", "hashtag", "pound") if match[0][0] == "#" else _read("number", "numbers", "no")
    yield numbers.number(match["which"])


def _number(match: re.Match[str]) -> Iterator[Item]:
    yield from _minus(match["minus"])
    yield numbers.number(match["bare"])


def _title(match: re.Match[str]) -> Iterator[Item]:
    yield _read(*TITLES[match["title_word"]])


def _stopped(match: re.Match[str]) -> Iterator[Item]:
    yield _read(*WITH_FULL_STOP[match["short"]])


def _initials(match: re.Match[str]) -> Iterator[Item]:
    yield plain(match[0].replace(".", ""))


def _sign(match: re.Match[str]) -> Iterator[Item]:
    yield _read(*SIGNS[match[0]])


def _word(match: re.Match[str]) -> Iterator[Item]:
    yield _read(TWO_WORDS[match[0]]) if match[0] in TWO_WORDS else plain(american(match[0]))


_ITEMS: Mapping[str, Callable[[re.Match[str]], Iterator[Item]]] = {
    "money": _money,
    "date": _date,
    "clock": _clock,
    "hour_only": _hour_only,
    "monthday": _month_day,
    "daymonth": _day_month,
    "version": _version,
    "nth": _nth,
    "decade": _decade,
    "mixed": _mixed,
    "parted": _parted,
    "percent": _percent,
    "measured": _measured,
    "numbered": _numbered,
    "number": _number,
    "title": _title,
    "stopped": _stopped,
    "initials": _initials,
    "range": lambda _: iter([((), ("to",), ("through",))]),
    "dot": lambda _: iter([((), ("dot",), ("point",))]),
    "by": lambda _: iter([_read("x", "by", "times")]),
    "sign": _sign,
    "word": _word,
}
