"""Kokoro as files of a snapshot: one ``*.onnx``, the numbers of its phonemes, and a ``*.bin`` for each voice.

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
from services.worker.engines.kokoro_phonemes.vocabulary import checked_numbers
from shared.errors import FailureCode

STYLE = 256
"""Numbers of one style, float32. A voice is a style for every length of a text in phonemes, the shortest first."""
_ROW_BYTES = 4 * STYLE
_VOICE = re.compile(r"[a-z][fm]_[a-z0-9_]+")
_VOCABULARIES: Mapping[str, tuple[str, ...]] = {
    "vocab.json": ("vocab",),
    "config.json": ("vocab",),
    "tokenizer.json": ("model", "vocab"),
}
"""File -> where in it the numbers are. The first file that is there counts."""


@dataclass(frozen=True, slots=True)
class KokoroFiles:
    """What is known of a pin without its weights."""

    model: Path
    numbers: Mapping[str, int]
    """Phoneme -> number."""
    voices: Mapping[str, Path]


def files_in(folder: Path) -> KokoroFiles:
    """Return the files below ``folder``. Raises `EngineError` if one is missing or wrong."""
    voices = {path.stem: path for path in sorted(folder.rglob("*.bin")) if _VOICE.fullmatch(path.stem)}
    if not voices:
        raise EngineError("the pin has no voice, such as af_heart.bin", FailureCode.MODEL_NOT_PULLED)
    for path in voices.values():
        if (size := path.stat().st_size) == 0 or size % _ROW_BYTES:
            raise EngineError(f"{path.name}: expected rows of {_ROW_BYTES} bytes, found {size} bytes")
    return KokoroFiles(_model(folder), _numbers(folder), voices)


def _model(folder: Path) -> Path:
    found = sorted(path for path in folder.rglob("*.onnx") if path.is_file())
    if not found:
        raise EngineError("the pin has no *.onnx file", FailureCode.MODEL_NOT_PULLED)
    if len(found) > 1:
        names = ", ".join(path.relative_to(folder).as_posix() for path in found)
        raise EngineError(f"a pin must have one model (found {len(found)}: {names})")
    return found[0]


def _numbers(folder: Path) -> Mapping[str, int]:
    for name, members in _VOCABULARIES.items():
        for path in sorted(folder.rglob(name)):
            said: Any = json_object(path, name)
            for member in members:
                said = said.get(member) if isinstance(said, dict) else None
            return checked_numbers(said, f"{name}: {'/'.join(members)}")
    raise EngineError(f"the pin has none of {', '.join(_VOCABULARIES)}", FailureCode.MODEL_NOT_PULLED)
