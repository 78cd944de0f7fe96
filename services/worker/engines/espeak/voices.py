"""Which voices the data folder of espeak holds, and which file speaks a language.

Owns the reading of voice files (the ``language`` and ``dictionary`` lines at their head) and our own preferences where
a tag could mean several voices. Knows nothing of prosody.
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
    """How requests name it: its own language tag, lower case."""
    path: str
    """Below ``lang/``; what espeak is told."""
    tags: Mapping[str, int]
    """Language tag -> priority; the lowest speaks it."""


class Voices:
    """Every voice that can speak, and every variant that it can speak with."""

    def __init__(self, data: Path) -> None:
        voices = sorted(_voices(data), key=lambda voice: (len(voice.path), voice.path))
        self._by_name = _by_name(voices)
        self._by_tag = _by_tag(self._by_name)
        self.variants = tuple(sorted(file.name for file in (data / "voices" / "!v").iterdir()))

    @property
    def names(self) -> tuple[str, ...]:
        """Voices without a variant, sorted."""
        return tuple(sorted(self._by_name))

    @property
    def languages(self) -> tuple[str, ...]:
        """BCP 47 tags that are spoken, lower case, sorted."""
        return tuple(sorted(self._by_tag))

    @property
    def pattern(self) -> str:
        """Regular expression of every voice name: ``LANGUAGE`` or ``LANGUAGE+VARIANT``."""
        languages = "|".join(map(re.escape, self.names))
        variants = "|".join(map(re.escape, self.variants))
        return rf"({languages})(\+({variants}))?"

    def find(self, language: str, voice: str | None) -> str:
        """What espeak is told for this voice; without one, for this language by its longest known prefix.

        Raises `EngineError` for a voice or language that there is not.
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
    """Language tags with their priorities in the order they stand, and the dictionary."""
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
    """Each under its first tag; where two files claim one, the longer path goes by its file name."""
    named: dict[str, VoiceFile] = {}
    for voice in voices:
        name = voice.name if voice.name not in named else Path(voice.path).name.lower()
        named[name] = VoiceFile(name, voice.path, voice.tags)
    return named


def _by_tag(named: Mapping[str, VoiceFile]) -> dict[str, str]:
    """Language tag -> name of the voice that speaks it. A language with regional voices only has the first of them."""
    speaking: dict[str, tuple[int, str]] = {}
    for name, voice in named.items():
        for tag, priority in voice.tags.items():
            speaking[tag] = min(speaking.get(tag, (priority, name)), (priority, name), key=lambda held: held[0])
    by_tag = {tag: name for tag, (_, name) in speaking.items()}
    for tag in sorted(by_tag):
        by_tag.setdefault(tag.split("-")[0], by_tag[tag])
    return {**by_tag, **PREFERRED}
