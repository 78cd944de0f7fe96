"""The accents of voices: which languages they speak, and which voice speaks a request.

Owns the accents that are served, and that a voice speaks no other language than its own. Knows the names of no model's
voices.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from services.worker.engines.base import EngineError
from services.worker.engines.japanese.packages import MODULES


@dataclass(frozen=True, slots=True)
class Accent:
    """A way of speaking that voices share."""

    letter: str
    languages: tuple[str, ...]
    """BCP 47 tags in lower case, the narrowest first."""
    packages: Mapping[str, str]
    """Module -> package: what puts its texts into phonemes."""

    @property
    def base(self) -> str:
        return self.languages[-1]


_ENGLISH = {"hibari": "hibari-tts"}
_CHINESE = {
    "misaki": "misaki",
    "jieba": "jieba",
    "pypinyin": "pypinyin",
    "cn2an": "cn2an",
    "ordered_set": "ordered-set",
}
_ESPEAK = {"espeakng_loader": "espeakng-loader"}
AMERICAN, BRITISH, MANDARIN, JAPANESE = "a", "b", "z", "j"
BY_ESPEAK: Mapping[str, str] = {"e": "es", "f": "fr-fr", "h": "hi", "i": "it", "p": "pt-br"}
"""Accent -> the voice of espeak whose phonemes it reads."""
ACCENTS: Mapping[str, Accent] = {
    one.letter: one
    for one in (
        Accent(AMERICAN, ("en-us", "en"), _ENGLISH),
        Accent(BRITISH, ("en-gb", "en"), _ENGLISH),
        Accent(MANDARIN, ("zh",), {**_CHINESE, **_ENGLISH}),
        Accent(JAPANESE, ("ja",), {**MODULES, **_ENGLISH}),
        Accent("e", ("es",), _ESPEAK),
        Accent("f", ("fr",), _ESPEAK),
        Accent("h", ("hi",), _ESPEAK),
        Accent("i", ("it",), _ESPEAK),
        Accent("p", ("pt-br", "pt"), _ESPEAK),
    )
}
"""By Kokoro's letter, in the order of preference. Chinese and Japanese texts may have English words, so their accents
need the English package too."""

_MOST_NAMED = 5


@dataclass(frozen=True, slots=True)
class VoiceList:
    """The voices that are served."""

    accents: Mapping[str, Accent]
    """By name, the default first, an accent after the other."""
    languages: tuple[str, ...]
    packages: Mapping[str, str]

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(self.accents)

    @property
    def default(self) -> str | None:
        """The voice of a request that names none, if that does not depend on its language."""
        return self.names[0] if len({accent.base for accent in self.accents.values()}) == 1 else None

    def chosen(self, voice: str | None, language: str) -> str:
        """Return the voice for a request. Raises `EngineError` if ``voice`` does not speak ``language``; it names some
        that do."""
        base = language.partition("-")[0]
        fitting = [name for name, accent in self.accents.items() if accent.base == base]
        if voice is None:
            native = [name for name in fitting if language in self.accents[name].languages]
            return (native or fitting)[0]
        if voice not in fitting:
            some = ", ".join(fitting[:_MOST_NAMED]) + (" and more" if len(fitting) > _MOST_NAMED else "")
            raise EngineError(f"the voice {voice} does not speak {language}; voices that do: {some}")
        return voice


def voice_list(found: Mapping[str, str], wanted: Sequence[str]) -> VoiceList:
    """Return which of the voices ``found`` (name -> letter of the accent) are served. Of an accent, the first is the
    default. ``wanted``: languages; empty means all. Raises `EngineError` if no voice is left, or none for a language
    that is wanted."""
    accents: dict[str, Accent] = {}
    languages: list[str] = []
    packages: dict[str, str] = {}
    for accent in ACCENTS.values():
        own = [name for name, letter in found.items() if letter == accent.letter]
        tags = [tag for tag in accent.languages if tag in wanted] if wanted else accent.languages
        if own and tags:
            accents |= dict.fromkeys(own, accent)
            languages += tags
            packages |= accent.packages
    if lacking := [tag for tag in wanted if tag not in languages]:
        raise EngineError(f"options/languages: no voice of the pin speaks {', '.join(lacking)}")
    if not accents:
        raise EngineError(f"no voice of the pin speaks a language that is served: {', '.join(_served())}")
    return VoiceList(accents, tuple(dict.fromkeys(languages)), packages)


def _served() -> Sequence[str]:
    return list(dict.fromkeys(tag for accent in ACCENTS.values() for tag in accent.languages))
