"""Puts amounts with a unit or a currency into words.

``20 ℃`` is ``20 degrees Celsius``, and ``¥100`` in Chinese is ``100 元``. Owns which sign means which unit or currency.
The words and their plurals are Babel's (CLDR). The number stays as it is written: engines read numbers themselves.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Mapping
from decimal import Decimal, InvalidOperation
from typing import TYPE_CHECKING

from services.worker.engines.signs.names import locale_of
from shared.values.text import in_form

if TYPE_CHECKING:
    from babel import Locale

_NUMBER = r"\d+(?:[.,\u066b\u066c]\d+)*"
_UNITS: Mapping[str, str] = {
    "°C": "temperature-celsius",
    "°F": "temperature-fahrenheit",
    "°": "angle-degree",
    "′": "angle-arc-minute",
    "″": "angle-arc-second",
    "%": "concentr-percent",
    "‰": "concentr-permille",
    "mm": "length-millimeter",
    "cm": "length-centimeter",
    "km": "length-kilometer",
    "mm2": "area-square-millimeter",
    "cm2": "area-square-centimeter",
    "m2": "area-square-meter",
    "km2": "area-square-kilometer",
    "cm3": "volume-cubic-centimeter",
    "m3": "volume-cubic-meter",
    "km3": "volume-cubic-kilometer",
    "cc": "volume-cubic-centimeter",
    "ml": "volume-milliliter",
    "dl": "volume-deciliter",
    "l": "volume-liter",
    "mg": "mass-milligram",
    "kg": "mass-kilogram",
    "μg": "mass-microgram",
    "kcal": "energy-kilocalorie",
    "cal": "energy-calorie",
    "Hz": "frequency-hertz",
    "kHz": "frequency-kilohertz",
    "MHz": "frequency-megahertz",
    "GHz": "frequency-gigahertz",
    "kW": "power-kilowatt",
    "MW": "power-megawatt",
    "hPa": "pressure-hectopascal",
    "ha": "area-hectare",
    "Ω": "electric-ohm",
}
"""Keys are in compatibility form (NFKC): ㎏ is kg, ℃ is °C."""
PRIMES = "′″"
"""Minutes and seconds of arc after a number; punctuation elsewhere."""
_CURRENCIES: Mapping[str, str] = {
    "$": "USD",
    "€": "EUR",
    "£": "GBP",
    "¥": "JPY",
    "₩": "KRW",
    "₽": "RUB",
    "₹": "INR",
    "₺": "TRY",
    "₴": "UAH",
    "₫": "VND",
    "฿": "THB",
    "₪": "ILS",
    "₦": "NGN",
    "₱": "PHP",
    "₸": "KZT",
    "₮": "MNT",
    "₾": "GEL",
}
_HERE: Mapping[tuple[str, str], str] = {("zh", "¥"): "元", ("yue", "¥"): "元"}
"""Everyday words for a sign that means another currency in some languages."""
_MAGNITUDE = (
    r"(?:[十百千万萬亿億兆천만억조]+|\s(?:thousand|million|billion|trillion|тыс\.?|млн\.?|млрд\.?|Mio\.?|Mrd\.?))?"
)

_UNIT = re.compile(rf"(?P<number>{_NUMBER})\s?(?P<unit>°[CF](?![A-Za-z])|[°′″%‰Ω\u2100-\u214f\u3371-\u33df])")
_SIGN = "[" + "".join(map(re.escape, _CURRENCIES)) + "]"
_BEFORE = re.compile(rf"(?P<sign>{_SIGN})\s?(?P<number>{_NUMBER}{_MAGNITUDE})")
_AFTER = re.compile(rf"(?P<number>{_NUMBER}{_MAGNITUDE})\s?(?P<sign>{_SIGN})")


def amounts_in_words(text: str, language: str, unread: Callable[[str], bool]) -> str:
    """Return ``text`` with those amounts in words whose unit or currency is ``unread``. The others stay as they are."""

    def unit(found: re.Match[str]) -> str:
        kind = _UNITS.get(in_form("NFKC", found["unit"]))
        if kind is None or not unread(found["unit"]) or (locale := locale_of(language)) is None:
            return found.group()
        said = _unit(kind, found["number"], locale)
        return found.group() if said is None or unread(said) else _spaced(said, found)

    def currency(found: re.Match[str]) -> str:
        if not unread(found["sign"]) or (locale := locale_of(language)) is None:
            return found.group()
        said = _currency(found["sign"], found["number"], locale)
        return _spaced(f"{found['number']} {said}", found)

    text = _UNIT.sub(unit, text)
    return _AFTER.sub(currency, _BEFORE.sub(currency, text))


def _unit(kind: str, number: str, locale: Locale) -> str | None:
    from babel.numbers import format_decimal
    from babel.units import format_unit

    value = _value(number)
    said = format_unit(value, kind, "long", locale=locale)
    written = format_decimal(value, locale=locale)
    return said.replace(written, number, 1) if written in said else None


def _currency(sign: str, number: str, locale: Locale) -> str:
    from babel.numbers import get_currency_name

    here = _HERE.get((locale.language, sign))
    return here or get_currency_name(_CURRENCIES[sign], count=_value(number), locale=locale)


_PLURAL_DIGITS = 9


def _value(number: str) -> Decimal:
    """Return a value with the plural of ``number``. A number that cannot be parsed, with thousands separators, counts
    as 100. Plural rules look at the last six digits (CLDR), and Decimal cannot divide a number of more than 28."""
    digits = "".join(
        str(unicodedata.digit(one)) if one.isdigit() else "." for one in number if one.isdigit() or one in ".,٫"
    )
    try:
        whole, point, rest = digits.partition(".")
        if len(whole) > _PLURAL_DIGITS:
            whole = f"1{whole[-_PLURAL_DIGITS:]}"
        return Decimal(f"{whole}{point}{rest[:_PLURAL_DIGITS]}")
    except InvalidOperation:
        return Decimal(100)


def _spaced(said: str, found: re.Match[str]) -> str:
    """Return ``said``, with a space after it if letters or digits would otherwise follow directly."""
    follows = found.string[found.end() : found.end() + 1]
    return f"{said} " if follows.isalnum() else said
