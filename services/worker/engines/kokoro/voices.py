"""The voices of a pin: which languages they speak, and which one speaks a request.

The first letter of a voice's name is its accent: ``af_heart`` speaks American English. Owns the accents that are
served, and that a voice speaks no other language than its own. Reads no voice.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from services.worker.engines.base import EngineError


@dataclass(frozen=True, slots=True)
class Accent:
    """A way of speaking that voices share."""

    letter: str
    languages: tuple[str, ...]
    """BCP 47 tags in lower case, the narrowest first."""
    favourite: str
    """The voice that speaks if none is named, if the pin has it."""
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
ACCENTS: Mapping[str, Accent] = {
    one.letter: one
    for one in (
        Accent("a", ("en-us", "en"), "af_heart", _ENGLISH),
        Accent("b", ("en-gb", "en"), "bf_emma", _ENGLISH),
        Accent("z", ("zh",), "zf_xiaoxiao", {**_CHINESE, **_ENGLISH}),
    )
}
"""By letter, in the order of preference. Chinese needs the English package too, for English words in Chinese texts."""

_MOST_NAMED = 5


@dataclass(frozen=True, slots=True)
class VoiceList:
    """The voices that are served."""

    names: tuple[str, ...]
    """The default first, then by accent and name."""
    languages: tuple[str, ...]
    packages: Mapping[str, str]

    @property
    def default(self) -> str | None:
        """The voice of a request that names none, if that does not depend on its language."""
        return self.names[0] if len({ACCENTS[name[0]].base for name in self.names}) == 1 else None

    def chosen(self, voice: str | None, language: str) -> str:
        """Return the voice for a request. Raises `EngineError` if ``voice`` does not speak ``language``; it names some
        that do."""
        base = language.partition("-")[0]
        fitting = [name for name in self.names if ACCENTS[name[0]].base == base]
        if voice is None:
            native = [name for name in fitting if language in ACCENTS[name[0]].languages]
            return (native or fitting)[0]
        if voice not in fitting:
            some = ", ".join(fitting[:_MOST_NAMED]) + (" and more" if len(fitting) > _MOST_NAMED else "")
            raise EngineError(f"the voice {voice} does not speak {language}; voices that do: {some}")
        return voice


def voice_list(found: Sequence[str], wanted: Sequence[str]) -> VoiceList:
    """Return which of the voices ``found`` are served. ``wanted``: languages; empty means all. Raises `EngineError` if
    no voice is left, or none for a language that is wanted."""
    names: list[str] = []
    languages: list[str] = []
    packages: dict[str, str] = {}
    for accent in ACCENTS.values():
        own = sorted(name for name in found if name.startswith(accent.letter))
        tags = [tag for tag in accent.languages if tag in wanted] if wanted else accent.languages
        if own and tags:
            names += sorted(own, key=lambda name: name != accent.favourite)
            languages += tags
            packages |= accent.packages
    if lacking := [tag for tag in wanted if tag not in languages]:
        raise EngineError(f"options/languages: no voice of the pin speaks {', '.join(lacking)}")
    if not names:
        raise EngineError(f"no voice of the pin speaks a language that is served: {', '.join(_served())}")
    return VoiceList(tuple(names), tuple(dict.fromkeys(languages)), packages)


def _served() -> Sequence[str]:
    return list(dict.fromkeys(tag for accent in ACCENTS.values() for tag in accent.languages))
