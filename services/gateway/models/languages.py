"""Finds which of a pin's languages a tag stands for.

Owns that a longer tag is spoken as its prefix (`en-GB` by a pin of `en`), and that a language has several names of the
same meaning (`cmn` and `zh`, `eng` and `en`), which langcodes knows. Also guesses what is meant by the name of a
language or the code of a country. Knows no request.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cached_property

_NAMES = {
    "arabic": "ar",
    "chinese": "zh",
    "deutsch": "de",
    "english": "en",
    "french": "fr",
    "german": "de",
    "hindi": "hi",
    "italian": "it",
    "japanese": "ja",
    "korean": "ko",
    "mandarin": "zh",
    "portuguese": "pt",
    "russian": "ru",
    "spanish": "es",
    "turkish": "tr",
}
_WHERE_UNKNOWN, _ENGLISH = "en", ("uk", "gb", "us")
"""langcodes has English for a code that it does not know."""


class PinLanguages:
    """The languages of a pin. ``own``: the tags that the pin publishes, in lower case."""

    def __init__(self, own: Sequence[str]) -> None:
        self._own = {tag: tag for tag in own}

    def find(self, tag: str) -> str | None:
        """Return the pin's own tag for ``tag``, which is in lower case. None if the pin does not speak it."""
        return _longest_prefix(tag, self._own) or _longest_prefix(_one_name(tag), self._renamed)

    def meant(self, tag: str) -> str | None:
        """Return the pin's tag that somebody may have meant who wrote ``tag``, which it does not speak: `ja` for `jp`
        and for `japanese`."""
        first = tag.partition("-")[0]
        return self.find(_NAMES.get(first) or _language_of_country(first))

    @cached_property
    def _renamed(self) -> Mapping[str, str]:
        return {_one_name(tag): tag for tag in reversed(self._own)}


def _longest_prefix(tag: str, own: Mapping[str, str]) -> str | None:
    while tag and tag not in own:
        tag = tag.rpartition("-")[0]
    return own.get(tag)


def _one_name(tag: str) -> str:
    """Return the standard name of a tag, in lower case: `zh` for `cmn` and `zho`, `en-gb` for `eng-gb`."""
    import langcodes  # takes 0.1 s and 10 MB, needed only for other names of a tag

    try:
        return langcodes.standardize_tag(tag, macro=True).lower()
    except ValueError:  # its LanguageTagError
        return tag


def _language_of_country(code: str) -> str:
    """Return the language that most people speak in a country; an empty text if the code is of none."""
    import langcodes

    if len(code) != 2 or (language := langcodes.Language.make(territory=code.upper()).maximize().language) is None:
        return ""
    return "" if language == _WHERE_UNKNOWN and code not in _ENGLISH else language
