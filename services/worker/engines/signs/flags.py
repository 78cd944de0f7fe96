"""Flags of countries: two regional indicators each (Unicode Technical Standard 51), read as the country's name."""

from __future__ import annotations

import re

from services.worker.engines.signs.names import locale_of

_FIRST = 0x1F1E6
_PAIR = re.compile("[\U0001f1e6-\U0001f1ff]{2}")


def is_of_a_flag(character: str) -> bool:
    return _FIRST <= ord(character) < _FIRST + 26


def flags_in_words(text: str, language: str) -> str:
    """Return ``text`` with the names of countries for their flags, as far as Babel has them in ``language``."""
    locale = locale_of(language)

    def named(found: re.Match[str]) -> str:
        code = "".join(chr(ord(one) - _FIRST + ord("A")) for one in found.group())
        name = None if locale is None else locale.territories.get(code)
        return found.group() if name is None else f" {name} "

    return _PAIR.sub(named, text)
