"""English abbreviations, units, signs and spellings with the words that they are read as.

Owns these tables. An abbreviation whose letters are also a word counts only with its full stop, or beside a number.
"""

from __future__ import annotations

from collections.abc import Mapping

TITLES: Mapping[str, tuple[str, ...]] = {
    "dr": ("doctor", "drive"),
    "mr": ("mister",),
    "mrs": ("missus", "misses"),
    "st": ("saint", "street"),
    "prof": ("professor",),
    "vs": ("versus",),
    "etc": ("et cetera", "etcetera"),
    "jr": ("junior",),
    "approx": ("approximately",),
    "dept": ("department",),
    "sgt": ("sergeant",),
    "govt": ("government",),
}
"""Read so with a full stop and without one."""

WITH_FULL_STOP: Mapping[str, tuple[str, ...]] = {
    "ms": ("ms", "miss"),
    "sr": ("senior", "sr"),
    "gen": ("general", "gen"),
    "col": ("colonel", "col"),
    "lt": ("lieutenant", "lt"),
    "capt": ("captain",),
    "sen": ("senator", "sen"),
    "rep": ("representative", "rep"),
    "rev": ("reverend", "rev"),
    "hon": ("honorable", "hon"),
    "gov": ("governor", "gov"),
    "pres": ("president",),
    "mt": ("mount", "mt"),
    "ft": ("fort", "ft"),
    "ave": ("avenue", "ave"),
    "blvd": ("boulevard",),
    "rd": ("road", "rd"),
    "co": ("company", "co"),
    "corp": ("corporation", "corp"),
    "inc": ("incorporated", "inc"),
    "ltd": ("limited",),
    "fig": ("figure", "fig"),
    "jan": ("january", "jan"),
    "feb": ("february", "feb"),
    "mar": ("march", "mar"),
    "apr": ("april",),
    "aug": ("august",),
    "sept": ("september",),
    "sep": ("september",),
    "oct": ("october",),
    "nov": ("november",),
    "dec": ("december",),
    "e.g": ("for example", "eg"),
    "i.e": ("that is", "ie"),
}
"""Read so only with a full stop; the letters alone stay as they are."""

_MONTHS = (
    *("january", "february", "march", "april", "may", "june", "july", "august"),
    *("september", "october", "november", "december"),
)
MONTHS: Mapping[str, str] = {
    **{name: name for name in _MONTHS},
    **{f"{name[:3]}{stop}": name for name in _MONTHS for stop in (".", "") if name != "may"},
    "sept": "september",
    "sept.": "september",
}
"""The month by its name and by its abbreviations. These count only beside the number of a day."""

UNITS: Mapping[str, tuple[str, ...]] = {
    "mm": ("millimeters", "millimeter"),
    "cm": ("centimeters", "centimeter"),
    "m": ("meters", "meter"),
    "km": ("kilometers", "kilometer"),
    "m2": ("square meters", "meters squared", "square meter"),
    "km2": ("square kilometers", "square kilometer"),
    "mi": ("miles", "mile"),
    "ft": ("feet", "foot"),
    "in.": ("inches", "inch"),
    "mg": ("milligrams", "milligram"),
    "g": ("grams", "gram"),
    "kg": ("kilograms", "kilogram", "kilos", "kilo"),
    "lb": ("pounds", "pound"),
    "lbs": ("pounds", "pound"),
    "oz": ("ounces", "ounce"),
    "ml": ("milliliters", "milliliter"),
    "l": ("liters", "liter"),
    "km/h": ("kilometers per hour", "kilometers an hour"),
    "kmh": ("kilometers per hour", "kilometers an hour"),
    "kph": ("kilometers per hour", "kilometers an hour"),
    "mph": ("miles per hour", "miles an hour"),
    "m/s": ("meters per second", "meters a second"),
    "°": ("degrees", "degree"),
    "°c": ("degrees celsius", "degrees centigrade", "degree celsius", "celsius", "degrees c"),
    "°f": ("degrees fahrenheit", "degree fahrenheit", "fahrenheit", "degrees f"),
    "hz": ("hertz",),
    "khz": ("kilohertz",),
    "mhz": ("megahertz",),
    "ghz": ("gigahertz",),
    "kb": ("kilobytes", "kilobyte"),
    "mb": ("megabytes", "megabyte", "megs"),
    "gb": ("gigabytes", "gigabyte", "gigs"),
    "tb": ("terabytes", "terabyte"),
    "w": ("watts", "watt"),
    "kw": ("kilowatts", "kilowatt"),
    "kwh": ("kilowatt hours", "kilowatt hour"),
    "v": ("volts", "volt"),
    "h": ("hours", "hour"),
    "hr": ("hours", "hour"),
    "hrs": ("hours",),
    "min": ("minutes", "minute"),
    "mins": ("minutes",),
    "sec": ("seconds", "second"),
    "secs": ("seconds",),
    "ms": ("milliseconds", "millisecond"),
    "k": ("thousand",),
}
"""After a number. The letters themselves are a reading too."""

MONEY: Mapping[str, tuple[str, str, str]] = {
    "$": ("dollar", "dollars", "cents"),
    "€": ("euro", "euros", "cents"),
    "£": ("pound", "pounds", "pence"),
    "¥": ("yen", "yen", "sen"),
}
"""One, several, and hundredths."""

SCALES: Mapping[str, str] = {
    "thousand": "thousand",
    "million": "million",
    "billion": "billion",
    "trillion": "trillion",
    "k": "thousand",
    "m": "million",
    "bn": "billion",
    "b": "billion",
}

SIGNS: Mapping[str, tuple[str, ...]] = {
    "&": ("and",),
    "@": ("at",),
    "+": ("plus",),
    "=": ("equals", "is"),
    "×": ("times", "by"),
}

TWO_WORDS: Mapping[str, str] = {"alright": "all right"}
"""One word that is also written as two, with other letters."""
