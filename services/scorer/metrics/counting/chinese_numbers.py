"""Every way to read a written number in Chinese.

Owns the readings of Arabic digits; cn2an knows how a quantity is said, and this module adds what else is usual: 两 for
二, 幺 for 一 in digit strings, 一百五 for 一百五十. Knows no text: chinese.py finds the numbers in one.
"""

from __future__ import annotations

import cn2an  # type: ignore[import-untyped]

from services.scorer.metrics.counting.lattice import Item, Reading, Slot

PACKAGES = ("cn2an",)
_DIGITS = "零一二三四五六七八九"
_PLACES = "十百千万亿"
_LONGEST_NUMBER = 12
"""Digits. Longer numbers are read digit by digit."""


def quantity(text: str) -> Item:
    """Return the readings of digits as a quantity: 两百 and 二百 for 200. ``text``: digits, perhaps with commas."""
    number = text.replace(",", "")
    if len(number) > _LONGEST_NUMBER or (number.startswith("0") and number != "0"):
        return (digits(number),)
    said = str(cn2an.an2cn(number, "low"))
    readings = [said]
    if said.startswith("一十"):
        readings = [said[1:], said]
    if len(said) > 3 and said[-1] in _PLACES and said[-3] in _PLACES and _next_place(said):
        readings += [said[:-1]]
    return tuple(_slots(one) for one in readings)


def digits(text: str) -> Reading:
    """Return digits one by one. In numbers of three digits and more, 一 may be 幺."""
    long = len(text) > 2
    return tuple(("一", "幺") if digit == "1" and long else _DIGITS[int(digit)] for digit in text)


def whole(text: str) -> Item:
    """Return the readings of digits as they stand alone: as a quantity, and from three digits on also one by one."""
    readings = quantity(text)
    return (*readings, digits(text)) if "," not in text and len(text) > 2 else readings


def number(text: str) -> Item:
    """Return the readings of ``1,250`` or ``3.14``."""
    before, point, after = text.partition(".")
    return decimal(before, after) if point else whole(text)


def decimal(before: str, after: str) -> Item:
    """Return the readings of a decimal fraction: 三点一四."""
    return tuple((*head, "点", *map(_digit, after)) for head in quantity(before or "0"))


def year(text: str) -> Item:
    """Return the readings of a year without 年: one by one, or as a quantity."""
    return ((*map(_digit, text),), *quantity(text))


def time_of_day(hour: str, minute: str) -> Item:
    """Return the readings of a time: 十点半, 十点三十分."""
    tails: list[Reading] = [((None, "整", "钟"),)] if minute == "00" else _minutes(minute)
    return tuple((*head, "点", *tail) for head in quantity(str(int(hour))) for tail in tails)


def _minutes(minute: str) -> list[Reading]:
    value = int(minute)
    quarters: dict[int, list[Reading]] = {30: [("半",)], 15: [("一", "刻")], 45: [("三", "刻")]}
    zero: Reading = ((None, "零"),) if value < 10 else ()
    return [*((*zero, *said, (None, "分")) for said in quantity(str(value))), *quarters.get(value, [])]


def _digit(digit: str) -> str:
    return _DIGITS[int(digit)]


def _next_place(said: str) -> bool:
    """Return whether the last place of ``said`` follows the one before it: 一百五十, not 一千零五十."""
    return _PLACES.index(said[-3]) == _PLACES.index(said[-1]) + 1


def _slots(said: str) -> Reading:
    """Return the characters of a quantity, where 二 before 百, 千, 万 and 亿, and 二 alone, may be 两."""
    slots: list[Slot] = []
    for at, character in enumerate(said):
        after = said[at + 1 : at + 2]
        pair = character == "二" and (
            said == "二" or (after != "" and after in "百千万亿" and said[at - 1 : at] != "十")
        )
        slots.append(("二", "两") if pair else character)
    return tuple(slots)
