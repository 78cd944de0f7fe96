"""The files of a snapshot: an acoustic model, the vocoder, and the numbers of the symbols.

Owns finding and checking them. Reads no weights and needs no package.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from services.worker.engines.base import EngineError
from services.worker.engines.json_files import json_object
from shared.errors import FailureCode

FASTSPEECH2, TACOTRON2, VOCODER = "fastspeech2.onnx", "tacotron2.onnx", "mb_melgan.onnx"
SYMBOLS = "baker_mapper.json"


@dataclass(frozen=True, slots=True)
class ZhttsFiles:
    """What is known of a pin without its weights."""

    acoustic: Path
    """FastSpeech2 or Tacotron 2; its name says which."""
    vocoder: Path
    numbers: Mapping[str, int]
    """Symbol, such as ``zh`` or ``ang1``, -> number."""

    @property
    def has_speed(self) -> bool:
        return self.acoustic.name == FASTSPEECH2


def files_in(folder: Path) -> ZhttsFiles:
    """Return the files below ``folder``. Raises `EngineError` if one is missing or wrong."""
    acoustic = [path for name in (FASTSPEECH2, TACOTRON2) for path in sorted(folder.rglob(name))]
    if not acoustic:
        raise EngineError(f"the pin has neither {FASTSPEECH2} nor {TACOTRON2}", FailureCode.MODEL_NOT_PULLED)
    if len(acoustic) > 1:
        raise EngineError(f"a pin must have one acoustic model (found {', '.join(path.name for path in acoustic)})")
    numbers = json_object(_one(folder, SYMBOLS), SYMBOLS).get("symbol_to_id")
    if not isinstance(numbers, dict) or not all(isinstance(number, int) for number in numbers.values()):
        raise EngineError(f"{SYMBOLS}: symbol_to_id must be a table of symbols with their numbers")
    return ZhttsFiles(acoustic[0], _one(folder, VOCODER), numbers)


def _one(folder: Path, name: str) -> Path:
    found = sorted(folder.rglob(name))
    if not found:
        raise EngineError(f"the pin has no {name}", FailureCode.MODEL_NOT_PULLED)
    return found[0]
