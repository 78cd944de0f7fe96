"""The name of a sign in a language: the names that CLDR gives characters for text-to-speech.

Owns reading ``names.zip``, which `make signs` creates (CLDR annotations, Unicode-3.0), and the word for a minus before
a number, for which CLDR has none.
"""

from __future__ import annotations

import contextlib
import json
from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from babel import Locale

ARCHIVE = Path(__file__).with_name("names.zip")

_MINUS: Mapping[str, str] = {
    "ar": "سالب",
    "bg": "минус",
    "bn": "মাইনাস",
    "ca": "menys",
    "cs": "mínus",
    "el": "μείον",
    "es": "menos",
    "et": "miinus",
    "fa": "منفی",
    "fi": "miinus",
    "fr": "moins",
    "he": "מינוס",
    "hi": "माइनस",
    "hu": "mínusz",
    "is": "mínus",
    "it": "meno",
    "ja": "マイナス",
    "ka": "მინუს",
    "kk": "минус",
    "ko": "마이너스",
    "lt": "minus",
    "lv": "mīnus",
    "mk": "минус",
    "nl": "min",
    "pt": "menos",
    "ru": "минус",
    "sk": "mínus",
    "sr": "минус",
    "th": "ติดลบ",
    "tr": "eksi",
    "uk": "мінус",
    "ur": "منفی",
    "vi": "âm",
    "yue": "負",
    "zh": "负",
}
"""From num2words, and common usage for languages that it lacks. In most other languages it is "minus"."""


def name_of(character: str, language: str) -> str | None:
    """Return the name of a sign or emoji in ``language`` (a BCP 47 tag), or `None` if CLDR has none."""
    name = _names(base_of(language)).get(character)
    return None if name is None or character in name else name


def minus(language: str) -> str:
    """Return the word before a negative number."""
    return _MINUS.get(base_of(language), "minus")


def base_of(language: str) -> str:
    """Return the base language of a BCP 47 tag, without script and region, as CLDR names it."""
    base = language.lower().split("-")[0]
    return {"cmn": "zh", "nb": "no", "nn": "no"}.get(base, base)


def locale_of(language: str) -> Locale | None:
    """Return Babel's locale for ``language``, or `None` if it has none."""
    from babel import Locale, UnknownLocaleError  # takes 40 ms, which a start need not spend

    for tag in (language, base_of(language)):
        with contextlib.suppress(UnknownLocaleError, ValueError):
            return Locale.parse(tag, sep="-")
    return None


@lru_cache(maxsize=4)
def _names(language: str) -> Mapping[str, str]:
    import zipfile  # few texts have such a sign, and every start of a host would wait for it

    try:
        with zipfile.ZipFile(ARCHIVE) as archive:
            names: Mapping[str, str] = json.loads(archive.read(f"{language}.json"))
            return names
    except KeyError:
        return {}
