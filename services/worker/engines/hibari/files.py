"""Hibari as files of a snapshot: ``voices.json``, the ``*.onnx`` of the voices that it names, and ``vocab.json``.

Owns finding and checking them. Reads no weights and needs no package.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from services.worker.engines.base import EngineError
from services.worker.engines.json_files import json_object
from services.worker.engines.kokoro_phonemes.accents import AMERICAN, BRITISH
from services.worker.engines.kokoro_phonemes.vocabulary import checked_numbers
from shared.errors import FailureCode

_NAME = re.compile(r"[a-z][a-z0-9_-]{0,39}")


@dataclass(frozen=True, slots=True)
class HibariVoice:
    """A voice whose model is in the pin."""

    model: Path
    accent: str
    """Kokoro's letter of it."""


@dataclass(frozen=True, slots=True)
class HibariFiles:
    """What is known of a pin without its weights."""

    numbers: Mapping[str, int]
    """Phoneme -> number."""
    voices: Mapping[str, HibariVoice]
    """In the order in which they are published."""


def files_in(folder: Path) -> HibariFiles:
    """Return the files below ``folder``. Raises `EngineError` if one is missing or wrong."""
    numbers = checked_numbers(json_object(_one(folder, "vocab.json"), "vocab.json"), "vocab.json")
    models = {path.name: path for path in sorted(folder.rglob("*.onnx")) if path.is_file()}
    voices: dict[str, HibariVoice] = {}
    for name, said in json_object(_one(folder, "voices.json"), "voices.json").items():
        file, british = _checked(name, said)
        if file in models:
            voices[name] = HibariVoice(models.pop(file), BRITISH if british else AMERICAN)
    if models:
        raise EngineError(f"voices.json names no voice of {', '.join(models)}")
    if not voices:
        raise EngineError("the pin has no *.onnx file", FailureCode.MODEL_NOT_PULLED)
    return HibariFiles(numbers, voices)


def _one(folder: Path, name: str) -> Path:
    found = sorted(folder.rglob(name))
    if not found:
        raise EngineError(f"the pin has no {name}", FailureCode.MODEL_NOT_PULLED)
    return found[0]


def _checked(name: str, said: Any) -> tuple[str, bool]:
    """Return the name of a voice's file, and whether the voice is British."""
    if not _NAME.fullmatch(name) or not isinstance(said, dict):
        raise EngineError("voices.json must be a table of voices by their names")
    file, british = said.get("file"), said.get("british")
    if not isinstance(file, str) or not isinstance(british, bool):
        raise EngineError(f"voices.json: {name} must say its file and whether it is british")
    return file, british
