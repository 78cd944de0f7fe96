"""Finds every way to read a Chinese text aloud, with the English words in it.

Owns what is compared: each Chinese character, and each word of Latin letters as a whole. Numbers are read in Chinese,
and beside Latin letters in English too; their readings are in chinese_numbers.py and english.py. What it does:

1. Unicode NFKC, lower case: full-width letters and digits become the usual ones.
2. Traditional characters become simplified ones (OpenCC, and 著 becomes 着), the numerals of banknotes (壹) and 〇 the
   usual ones.
3. Numbers become characters in every way that they are read: quantities, digit by digit, years, dates, times, ratios,
   percentages, fractions, money, temperatures, with units.
4. Everything but letters, marks and numbers is dropped.

What is written in characters has one reading: 二 against 两 is an error, unless a digit may be both. Characters that
sound the same, such as 他 and 她, stay different.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence

from services.scorer.metrics.characters import in_one_script, parted
from services.scorer.metrics.counting import chinese_numbers as numbers
from services.scorer.metrics.counting import english
from services.scorer.metrics.counting.folding import folded
from services.scorer.metrics.counting.lattice import Item, Reading, plain

_PLAIN = str.maketrans("〇壹贰叁肆伍陆柒捌玖拾佰仟著", "零一二三四五六七八九十百千着")
"""OpenCC leaves 著, which is 着 in 等著 and not in 著名. Nobody confuses the two when speaking."""
UNITS: Mapping[str, tuple[str, ...]] = {
    "mm": ("毫米",),
    "cm": ("厘米", "公分"),
    "m": ("米",),
    "km": ("公里", "千米"),
    "m2": ("平方米", "平米"),
    "km2": ("平方公里", "平方千米"),
    "m3": ("立方米",),
    "mg": ("毫克",),
    "g": ("克",),
    "kg": ("公斤", "千克"),
    "t": ("吨",),
    "ml": ("毫升",),
    "l": ("升",),
    "km/h": ("公里每小时", "千米每小时", "公里每时"),
    "m/s": ("米每秒",),
    "°c": ("摄氏度", "度"),
    "°f": ("华氏度",),
    "°": ("度",),
    "hz": ("赫兹", "赫"),
    "w": ("瓦",),
    "kw": ("千瓦",),
    "kwh": ("千瓦时", "度"),
    "v": ("伏", "伏特"),
    "h": ("小时",),
    "min": ("分钟",),
    "s": ("秒",),
}
"""After a number. The letters themselves are a reading too."""
MONEY: Mapping[str, tuple[str, ...]] = {
    "¥": ("元", "块", "块钱", "元人民币"),
    "$": ("美元", "美金"),
    "€": ("欧元",),
    "£": ("英镑",),
}
_SCALE = "[万亿千百]"
_N = r"(?:\d{1,3}(?:,\d{3})+|\d+)(?:\.\d+)?"
_UNIT = "|".join(re.escape(unit) for unit in sorted(UNITS, key=len, reverse=True))
_PATTERNS: Mapping[str, str] = {
    "money": rf"[{''.join(MONEY)}]\s?(?P<sum>{_N})(?P<scale>{_SCALE}{{0,2}})",
    "date": r"(?<![\d/-])(?P<in_year>\d{4})(?P<between>[/-])(?P<month>0?[1-9]|1[0-2])(?P=between)"
    r"(?P<day>0?[1-9]|[12]\d|3[01])(?![\d/-])",
    "clock": r"(?<![\d:])(?P<hour>[01]?\d|2[0-4]):(?P<minute>[0-5]\d)(?![:\d])",
    "dotted": r"(?<![\d.])(?P<dotted_hour>[01]?\d|2[0-4])\.(?P<dotted_minute>[0-5]\d)(?=\s?分(?!之))",
    "ratio": r"(?<![\d:.])(?P<left>\d+):(?P<right>\d+)(?![:.]?\d)",
    "year": r"(?<!\d)(?P<years>\d{4}|\d{2})(?=\s?年(?![前后来内间级纪龄]))",
    "mixed": r"(?P<wholes>\d+)\s(?P<one_over>\d{1,2})/(?P<one_under>\d{1,2})(?![\d/])",
    "parted": r"(?P<over>\d{1,3})/(?P<under>\d{1,3})(?![\d/])",
    "percent": rf"(?P<below>(?<![\w])-)?(?P<share>{_N})\s?(?P<of>[%‰])",
    "measured": rf"(?P<minus>(?<![\w])-)?(?P<amount>{_N})\s?(?P<unit>{_UNIT})(?![a-z0-9])",
    "version": r"\d+(?:\.\d+){2,}",
    "number": rf"(?P<sign>(?<![\w])-)?(?P<bare>{_N})",
    "range": r"(?<=[\d%])\s?[-~]\s?(?=\d)",
    "word": r"[a-z]+(?:'[a-z]+)*",
    "other": r"[^\s]",
}
_TOKEN = re.compile("|".join(f"(?P<{name}>{pattern})" for name, pattern in _PATTERNS.items()), re.ASCII)
_LATIN = re.compile(r"[a-z]")


def items(text: str, language: str) -> list[Item]:
    """Return what ``text`` consists of, each with its readings, to be compared by `lattice.closest`.

    ``language``: a primary subtag, one of `characters.CHINESE`.
    """
    found: list[Item] = []
    for match in _TOKEN.finditer(in_one_script(folded(text), language).translate(_PLAIN)):
        found += _ITEMS[match.lastgroup or ""](match)
    return found


def _characters(*phrases: str) -> Item:
    return tuple(tuple(phrase) for phrase in phrases)


def _joined(*parts: Sequence[Reading]) -> Item:
    """Return every reading of the first part followed by every reading of the next."""
    whole: list[Reading] = [()]
    for part in parts:
        whole = [(*head, *tail) for head in whole for tail in part]
    return tuple(whole)


def _money(match: re.Match[str]) -> Iterator[Item]:
    names = _characters(*MONEY[match[0][0]])
    amount = numbers.number(match["sum"])
    readings = _joined(amount, (tuple(match["scale"]),), names)
    before, _, after = match["sum"].partition(".")
    if match[0][0] == "¥" and len(after) == 1 and not match["scale"]:  # 三块五
        readings += _joined(numbers.quantity(before), _characters("块"), (numbers.digits(after),))
    yield readings


def _clock(match: re.Match[str]) -> Iterator[Item]:
    yield numbers.time_of_day(match["hour"], match["minute"])


def _date(match: re.Match[str]) -> Iterator[Item]:
    yield numbers.year(match["in_year"])
    yield plain("年")
    yield numbers.quantity(str(int(match["month"])))
    yield plain("月")
    yield numbers.quantity(str(int(match["day"])))
    yield _characters("日", "号")


def _dotted(match: re.Match[str]) -> Iterator[Item]:
    """A time, as recognisers write it, or points."""
    hour, minute = match["dotted_hour"], match["dotted_minute"]
    yield (*numbers.decimal(hour, minute), *numbers.time_of_day(hour, minute))


def _ratio(match: re.Match[str]) -> Iterator[Item]:
    yield numbers.quantity(match["left"])
    yield plain("比")
    yield numbers.quantity(match["right"])


def _year(match: re.Match[str]) -> Iterator[Item]:
    yield numbers.year(match["years"])


def _parts(over: str, under: str) -> Item:
    return _joined(numbers.quantity(under), _characters("分之"), numbers.quantity(over))


def _parted(match: re.Match[str]) -> Iterator[Item]:
    yield _parts(match["over"], match["under"])


def _mixed(match: re.Match[str]) -> Iterator[Item]:
    yield numbers.quantity(match["wholes"])
    yield _joined(_characters("又"), _parts(match["one_over"], match["one_under"]))


def _percent(match: re.Match[str]) -> Iterator[Item]:
    if match["below"]:
        yield _characters("负")
    of = "百分之" if match["of"] == "%" else "千分之"
    readings = _joined(_characters(of), numbers.number(match["share"]))
    yield (*readings, *_characters("百分之百")) if match["share"] == "100" else readings


def _measured(match: re.Match[str]) -> Iterator[Item]:
    unit = match["unit"]
    if match["minus"]:
        yield _characters("零下", "负") if unit.startswith("°") else _characters("负")
    yield numbers.number(match["amount"])
    written = re.sub("[^a-z]", "", unit)
    yield (*_characters(*UNITS[unit]), *(((written,),) if written else ()))


def _version(match: re.Match[str]) -> Iterator[Item]:
    for place, part in enumerate(match[0].split(".")):
        if place:
            yield plain("点")
        yield numbers.whole(part)


def _number(match: re.Match[str]) -> Iterator[Item]:
    if match["sign"]:
        yield _characters("负", "零下")
    readings = numbers.number(match["bare"])
    yield (*readings, *_in_english(match)) if _beside_latin(match) else readings


def _beside_latin(match: re.Match[str]) -> bool:
    before, after = match.string[: match.start()].rstrip(" -"), match.string[match.end() :].lstrip(" -")
    return bool(_LATIN.match(before[-1:]) or _LATIN.match(after[:1]))


def _in_english(match: re.Match[str]) -> Item:
    (found,) = english.items(match["bare"])
    return found


def _other(match: re.Match[str]) -> Iterator[Item]:
    yield from (plain(character) for run in parted(match[0]) for character in run)


def _word(match: re.Match[str]) -> Iterator[Item]:
    yield from english.items(match[0])


_ITEMS: Mapping[str, Callable[[re.Match[str]], Iterator[Item]]] = {
    "money": _money,
    "date": _date,
    "clock": _clock,
    "dotted": _dotted,
    "ratio": _ratio,
    "year": _year,
    "mixed": _mixed,
    "parted": _parted,
    "percent": _percent,
    "measured": _measured,
    "version": _version,
    "number": _number,
    "range": lambda _: iter([(("到",), ("至",), ())]),
    "word": _word,
    "other": _other,
}
