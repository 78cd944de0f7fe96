"""From text to the numbers that a voice reads: the door to the package piper-tts and the espeak-ng in it.

Owns whether the package can be used, and what the package would leave out without a word: phonemes that the voice does
not know. Knows nothing of samples.
"""

from __future__ import annotations

from collections.abc import Sequence
from importlib.metadata import PackageNotFoundError, version
from importlib.util import find_spec
from typing import Any, cast

from services.worker.engines.base import EngineError
from services.worker.engines.piper.voice import Voice
from services.worker.engines.wording import aloud, require_known
from shared.errors import FailureCode

_MODULES = {"piper": "piper-tts", "onnx": "onnx", "onnxruntime": "onnxruntime"}
_EXTRAS = {"japanese": {"pyopenjtalk": "piper-tts[ja]"}, "thai": {"tltk": "piper-tts[th]"}}
"""Kinds of phonemes that take a package more."""


def fault(voice: Voice) -> str | None:
    """Why this Python cannot speak with ``voice``, as far as can be seen without importing anything."""
    needed = {**_MODULES, **_EXTRAS.get(voice.phoneme_type, {})}
    missing = [package for module, package in needed.items() if find_spec(module) is None]
    return f"not installed: {', '.join(missing)}" if missing else None


def package_version() -> str:
    """Of piper-tts, which decides how text is pronounced, and of onnxruntime, which speaks."""
    try:
        return f"{version('piper-tts')} (onnxruntime {version('onnxruntime')})"
    except PackageNotFoundError:
        return "not installed"


class Phonemes:
    """Of one voice. For one thread."""

    def __init__(self, voice: Voice) -> None:
        from piper import PiperConfig, PiperVoice

        self._known = voice.said["phoneme_id_map"]
        # the package turns text into phonemes; the session that it would speak with is ours
        self._package = PiperVoice(session=cast(Any, None), config=PiperConfig.from_dict(dict(voice.said)))

    def sentences(self, text: str) -> Sequence[Sequence[int]]:
        """The phonemes' numbers, sentence by sentence; one without a sound is left out, for brought to full scale
        it would be noise. Raises `EngineError` for text without phonemes, and names those that the voice lacks."""
        said = [phonemes for phonemes in self._package.phonemize(text) if any(map(aloud, "".join(phonemes)))]
        if not said:
            raise EngineError("nothing in the text has phonemes", FailureCode.ENGINE_RETURNED_NOTHING)
        for phonemes in said:
            require_known("".join(one for one in phonemes if one not in self._known), lambda _: False)
        return [self._package.phonemes_to_ids(phonemes) for phonemes in said]
