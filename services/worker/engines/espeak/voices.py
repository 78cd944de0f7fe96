"""Which voices the data folder of espeak holds, and which file speaks a language.

Owns the reading of voice files (the ``language`` and ``dictionary`` lines at their head) and our preferences for tags
that could mean several voices. Knows nothing of prosody.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from services.worker.engines.base import EngineError

PREFERRED: Mapping[str, str] = {"en": "en-us", "zh": "cmn", "zh-yue": "yue"}
"""Tag -> voice, where the data leave it open or choose otherwise than most users would."""

_DEFAULT_PRIORITY = 5


@dataclass(frozen=True, slots=True)
class VoiceFile:
    """One voice of the data folder."""

    name: str
    """The name in requests: its own language tag, in lower case."""
    path: str
    """Its path below ``lang/``, which is passed to espeak."""
    tags: Mapping[str, int]
    """Language tag -> priority. The voice with the lowest number speaks the tag."""


class EspeakVoices:
    """Every voice that can speak, and every variant of it."""

    def __init__(self, data: Path) -> None:
        voices = sorted(_voices(data), key=lambda voice: (len(voice.path), voice.path))
        self._by_name = _by_name(voices)
        self._by_tag = _by_tag(self._by_name)
        self.variants = tuple(sorted(file.name for file in (data / "voices" / "!v").iterdir()))

    @property
    def names(self) -> tuple[str, ...]:
        """The voices without a variant, sorted."""
        return tuple(sorted(self._by_name))

    @property
    def languages(self) -> tuple[str, ...]:
        """BCP 47 tags of the spoken languages, lower case, sorted."""
        return tuple(sorted(self._by_tag))

    @property
    def pattern(self) -> str:
        """A regular expression for every voice name: ``LANGUAGE`` or ``LANGUAGE+VARIANT``."""
        languages = "|".join(map(re.escape, self.names))
        variants = "|".join(map(re.escape, self.variants))
        return rf"({languages})(\+({variants}))?"

    def find(self, language: str, voice: str | None) -> str:
        """Return espeak's name for this voice. Without a voice, the one for the longest known prefix of ``language``.

        Raises `EngineError` for an unknown voice or language.
        """
        if voice is None:
            return self._by_name[self._speaking(language)].path
        name, plus, variant = voice.partition("+")
        if name not in self._by_name or (plus and variant not in self.variants):
            raise EngineError(f"espeak has no voice {voice}")
        return self._by_name[name].path + plus + variant

    def _speaking(self, language: str) -> str:
        subtags = language.lower().split("-")
        for length in range(len(subtags), 0, -1):
            if (name := self._by_tag.get("-".join(subtags[:length]))) is not None:
                return name
        raise EngineError(f"espeak does not speak {language}")


def _voices(data: Path) -> Iterable[VoiceFile]:
    folder = str(data / "lang")
    dictionaries = {name for name in os.listdir(data) if name.endswith("_dict")}
    for root, _, names in os.walk(folder):
        for file in (os.path.join(root, name) for name in names):
            tags, dictionary = _head(file)
            if tags and f"{dictionary}_dict" in dictionaries:  # some languages come without their dictionary
                yield VoiceFile(next(iter(tags)), file.removeprefix(folder + "/"), tags)


def _head(file: str) -> tuple[dict[str, int], str]:
    """Return the language tags with their priorities, in the order of the file, and the dictionary."""
    tags: dict[str, int] = {}
    dictionary = None
    with open(file, encoding="utf-8") as opened:
        lines = opened.read().splitlines()
    for words in map(str.split, lines):
        if len(words) > 1 and words[0] == "language":
            tags[words[1].lower()] = int(words[2]) if len(words) > 2 else _DEFAULT_PRIORITY
        elif len(words) > 1 and words[0] == "dictionary":
            dictionary = words[1]
    return tags, dictionary or next(iter(tags), "").split("-")[0]


def _by_name(voices: Iterable[VoiceFile]) -> dict[str, VoiceFile]:
    """Return each voice under its first tag. If two files have the same tag, the one with the longer path is named by
    its file name."""
    named: dict[str, VoiceFile] = {}
    for voice in voices:
        name = voice.name if voice.name not in named else Path(voice.path).name.lower()
        named[name] = VoiceFile(name, voice.path, voice.tags)
    return named


def _by_tag(named: Mapping[str, VoiceFile]) -> dict[str, str]:
    """Return language tag -> name of the voice that speaks it. A language that has only regional voices gets the first
    of them."""
    speaking: dict[str, tuple[int, str]] = {}
    for name, voice in named.items():
        for tag, priority in voice.tags.items():
            speaking[tag] = min(speaking.get(tag, (priority, name)), (priority, name), key=lambda held: held[0])
    by_tag = {tag: name for tag, (_, name) in speaking.items()}
    for tag in sorted(by_tag):
        by_tag.setdefault(tag.split("-")[0], by_tag[tag])
    return {**by_tag, **PREFERRED}
