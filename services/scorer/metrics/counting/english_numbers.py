"""Every way to read a written number in English.

Owns the words of numbers. Knows no text: english.py finds the numbers in one.
"""

from __future__ import annotations

from services.scorer.metrics.counting.lattice import Item, Reading, Slot

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
_PART: dict[int, Reading] = {2: ("half",), 4: ("quarter",)}
_LARGEST_PART = 10
"""Up to this, a smaller number over it is a fraction. Beyond, it can be a date."""
_LONGEST_NUMBER = 12
"""Digits. Longer numbers are read digit by digit."""
_AND: Slot = (None, "and")
_OH: Slot = ("zero", "oh")


def cardinal(number: int) -> Reading:
    """Return the words of a number from 0 to 999,999,999,999, where British English puts an "and" with that choice.

    "One hundred" can also be "a hundred" at the start.
    """
    words = _counted(number)
    return (("one", "a"), *words[1:]) if number >= 100 and words[0] == "one" else words


def ordinal(number: int) -> Reading:
    """Return the words of an ordinal: "twenty first" for 21."""
    *head, last = cardinal(number)
    assert isinstance(last, str), "a number ends with a word that has no alternative"
    regular = f"{last[:-1]}ieth" if last.endswith("y") else f"{last}th"
    return (*head, _ORDINALS.get(last, regular))


def plural(number: int) -> Reading:
    """Return the words of a decade: "nineties" for 90."""
    *head, last = cardinal(number)
    assert isinstance(last, str), "as above"
    return (*head, f"{last[:-1]}ies" if last.endswith("y") else f"{last}s")


def digits(text: str) -> Reading:
    """Return digits one by one; a zero may be "oh"."""
    return tuple(_OH if digit == "0" else _SMALL[int(digit)] for digit in text)


def whole(text: str) -> Item:
    """Return the readings of digits without a sign, with or without grouping commas; first as a quantity."""
    number = text.replace(",", "")
    if len(number) > _LONGEST_NUMBER:
        return (digits(number),)
    if number.startswith("0"):
        return (digits(number),)
    readings = [cardinal(int(number))]
    if number == text and len(number) > 2:
        readings += [digits(number)]
        readings += [pairs] if (pairs := in_pairs(number)) else []
    return tuple(readings)


def in_pairs(text: str) -> Reading:
    """Return three or four digits as years, rooms and flights are read: "nineteen oh five". Empty if they are not."""
    if len(text) not in {3, 4} or text[0] == "0":
        return ()
    head, tail = int(text[:-2]), int(text[-2:])
    if tail == 0:
        return (*cardinal(head), "hundred") if head > 10 and head % 10 else ()
    return (*cardinal(head), *((_OH, *cardinal(tail)) if tail < 10 else cardinal(tail)))


def decimal(before: str, after: str) -> Item:
    """Return the readings of a decimal fraction: "three point one four", "three point fourteen"."""
    number = before.replace(",", "") or "0"
    heads = [cardinal(int(number))] if len(number) <= _LONGEST_NUMBER else [digits(number)]
    heads += [(), ("oh",), ("nought",)] if number == "0" else []
    tails = [digits(after)]
    tails += [cardinal(int(after))] if len(after) == 2 and after[0] != "0" else []
    return tuple((*head, "point", *tail) for head in heads for tail in tails)


def number(text: str) -> Item:
    """Return the readings of ``1,250`` or ``3.14``."""
    before, point, after = text.partition(".")
    return decimal(before, after) if point else whole(text)


def parts(over: int, under: int) -> Item:
    """Return the readings of a fraction: "three quarters", "three over four"."""
    above, below = cardinal(over), cardinal(under)
    names = [_PART[under]] if under in _PART else []
    names += [ordinal(under)] if under > 2 else []
    count: Reading = (("one", "a"),) if over == 1 else above
    named: Item = tuple((*count, *(name if over == 1 else _several(name))) for name in names)
    named = (*named, ("half",), ("half", "a")) if (over, under) == (1, 2) else named
    slash: Slot = "slash" if over < under <= _LARGEST_PART else (None, "slash")  # 9/11 and 24/7 have no such word
    return (*named, (*above, "over", *below), (*above, slash, *below))


def time_of_day(hour: int, minute: int) -> Item:
    """Return the readings of a time: "three thirty", "half past three".

    "Three point thirty" is for a time that the other side has written as 3.30.
    """
    this, after = cardinal(hour), cardinal(hour % 12 + 1)
    if minute == 0:
        return ((*this, "o'clock"), this, (*this, "hundred"), (*this, "point", *digits("00")))
    tail = (_OH, *cardinal(minute)) if minute < 10 else cardinal(minute)
    readings = ((*this, *tail), (*this, "point", *tail))
    return (*readings, *_past_and_to(this, after, minute)) if 0 < hour <= 12 else readings


def _past_and_to(this: Reading, after: Reading, minute: int) -> list[Reading]:
    readings: list[Reading] = [((None, "a"), "quarter", "past", *this)] if minute == 15 else []
    readings += [("half", "past", *this)] if minute == 30 else []
    readings += [((None, "a"), "quarter", "to", *after)] if minute == 45 else []
    readings += [(*cardinal(minute), (None, "minutes"), "past", *this)] if minute < 30 else []
    readings += [(*cardinal(60 - minute), (None, "minutes"), "to", *after)] if minute > 30 else []
    return readings


def _several(words: Reading) -> Reading:
    *head, last = words
    return (*head, "halves" if last == "half" else f"{last}s")


def _counted(number: int) -> tuple[Slot, ...]:
    if number < 20:
        return (_SMALL[number],)
    if number < 100:
        return (_TENS[number // 10], *((_SMALL[number % 10],) if number % 10 else ()))
    size, name = next((size, name) for size, name in _SCALES if number >= size)
    rest = number % size
    joint = (_AND,) if 0 < rest < 100 else ()
    return (*_counted(number // size), name, *joint, *(_counted(rest) if rest else ()))
