"""From text to the phoneme numbers that a voice reads: the only module that imports piper-tts and the espeak NG in it.

Owns whether the package can be used, and the check for phonemes that the voice does not know, which the package would
leave out silently. Knows nothing of samples.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import cache
from importlib.util import find_spec
from typing import Any, cast

from services.worker.engines.base import EngineError
from services.worker.engines.espeak.script import Script
from services.worker.engines.japanese.packages import READER as READER_OF_KANJI
from services.worker.engines.japanese.texts import all_read
from services.worker.engines.piper.voice import PiperVoiceFile
from services.worker.engines.signs.names import base_of
from services.worker.engines.spoken_characters import aloud, require_known
from shared.errors import FailureCode
from shared.machine.installed_packages import version_of

_MODULES = {"piper": "piper-tts", "onnx": "onnx", "onnxruntime": "onnxruntime"}
_BETWEEN = re.compile(r"(?<=\w)(?=\w)")
_EXTRAS = {"japanese": {"pyopenjtalk": "piper-tts[ja]"}, "thai": {"tltk": "piper-tts[th]"}}
"""Kinds of phonemes that need another package."""


def fault(voice: PiperVoiceFile) -> str | None:
    """Return why this Python cannot speak with ``voice``, as far as can be seen without importing anything, or
    ``None``."""
    needed = {**_MODULES, **_EXTRAS.get(voice.phoneme_type, {})}
    missing = [package for module, package in needed.items() if find_spec(module) is None]
    return f"not installed: {', '.join(missing)}" if missing else None


def package_version(voice: PiperVoiceFile) -> str:
    """Return the versions of piper-tts, which decides how text is pronounced, of onnxruntime, which speaks, and of what
    reads kanji for a Japanese voice."""
    piper, onnxruntime = version_of("piper-tts"), version_of("onnxruntime")
    if not (piper and onnxruntime):
        return "not installed"
    japanese = any(base_of(tag) == "ja" for tag in voice.languages)
    reader = f", {READER_OF_KANJI} {version_of(READER_OF_KANJI)}" if japanese else ""
    return f"{piper} (onnxruntime {onnxruntime}{reader})"


class Phonemes:
    """The phonemes of one voice. For one thread."""

    def __init__(self, voice: PiperVoiceFile) -> None:
        from piper import PiperConfig, PiperVoice

        self._by_espeak = voice.phoneme_type == "espeak"
        self._by_open_jtalk = voice.phoneme_type == "japanese"
        self._voice = voice.said["espeak"]["voice"] if self._by_espeak else ""
        self._script = Script(lambda clause: any(map(aloud, clause)))
        self._known = voice.said["phoneme_id_map"]
        # the package turns text into phonemes; the session that it would speak with is ours
        self._package = PiperVoice(session=cast(Any, None), config=PiperConfig.from_dict(dict(voice.said)))

    def sentences(self, text: str, language: str) -> Sequence[Sequence[int]]:
        """Return the phoneme numbers, sentence by sentence. A sentence without a sound is left out, because at full
        scale it would be noise. Signs are put into words of ``language``. Raises `EngineError` if the text has no
        phonemes, for characters that have none, and for phonemes that the voice lacks; it names them."""
        said = [phonemes for phonemes in self._phonemes(text, language) if any(map(aloud, "".join(phonemes)))]
        if not said:
            raise EngineError("nothing in the text has phonemes", FailureCode.ENGINE_RETURNED_NOTHING)
        for phonemes in said:
            require_known("".join(one for one in phonemes if one not in self._known), lambda _: False)
        return [self._package.phonemes_to_ids(phonemes) for phonemes in said]

    def _phonemes(self, text: str, language: str) -> list[list[str]]:
        """Return the phonemes of each sentence. The espeak in the package leaves out what is beyond its limits and
        characters that it does not know, and Open JTalk such characters, so the text is prepared for them. Other voices
        use letters."""
        said = cache(self._package.phonemize)  # asking the package takes as long as a short sentence
        if not self._by_espeak:
            return list(said(all_read(text) if self._by_open_jtalk else text))
        parts = self._script.parts(text, language, self._voice, lambda one: _clauses(said(one)))
        return [sentence for part in parts for sentence in said(part)]


def _clauses(sentences: Sequence[Sequence[str]]) -> list[str]:
    """Return the sentences as `espeak.limits` counts them: phonemes separated, a stress mark counting as one."""
    return [_BETWEEN.sub("_", "".join(sentence)) for sentence in sentences]
