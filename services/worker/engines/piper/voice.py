"""A voice of Piper as files of a snapshot: one ``NAME.onnx`` with its ``NAME.onnx.json`` beside it.

Owns finding the two files and reading the JSON: sample rate, language, speakers, scales, kind of phonemes. Reads no
weights and needs no package.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from services.worker.engines.base import EngineError
from services.worker.engines.json_files import json_object
from services.worker.engines.language_tags import is_tag
from services.worker.engines.options import Number
from shared.errors import FailureCode

PHONEME_TYPES = ("espeak", "text", "hebrew", "japanese", "thai")
FRAME_SIGNS = ("^", "$", "_")
"""Begin, end and padding. The package puts them around and between phonemes."""
NOISE = (
    Number("noise_scale", 0.667, 0, 2, "how much utterances vary; 0: not at all"),
    Number("noise_w", 0.8, 0, 2, "how much the lengths of sounds vary"),
)
_LENGTH = Number("length_scale", 1.0, 0.05, 20, "how long sounds are")


@dataclass(frozen=True, slots=True)
class PiperVoiceFile:
    """What is known of a voice without its weights."""

    model: Path
    said: Mapping[str, Any]
    """Its whole JSON."""
    sample_rate: int
    phoneme_type: str
    languages: tuple[str, ...]
    """BCP 47 tags, lower case, the narrowest first. Empty if the voice does not say."""
    speakers: Mapping[str, int]
    """Name -> number, the default first. Empty if there is only one speaker."""
    length_scale: float
    """The length scale of its own pace."""
    options: Sequence[Number]
    """`NOISE`, with the voice's own defaults."""


def voice_in(folder: Path) -> PiperVoiceFile:
    """Return the voice below ``folder``. Raises `EngineError` if there is none, more than one, or if it is
    incomplete."""
    model = _model(folder)
    description = model.with_name(f"{model.name}.json")
    said = json_object(description, description.name)
    scales = _table(said, "inference", {})
    phonemes = said.get("phoneme_type", "espeak")
    if phonemes not in PHONEME_TYPES:
        raise EngineError(f"phoneme_type must be one of {', '.join(PHONEME_TYPES)}, not {phonemes!r}")
    lacking = [sign for sign in FRAME_SIGNS if sign not in _table(said, "phoneme_id_map")]
    if lacking:
        raise EngineError(f"phoneme_id_map has no {' '.join(lacking)}")
    espeak = _table(said, "espeak").get("voice")
    if not isinstance(espeak, str):
        raise EngineError("espeak/voice must be a name")
    return PiperVoiceFile(
        model=model,
        said=said,
        sample_rate=_whole(_table(said, "audio").get("sample_rate"), "audio/sample_rate", 8_000, 48_000),
        phoneme_type=phonemes,
        languages=_languages(_table(said, "language", {}), espeak if phonemes == "espeak" else ""),
        speakers=_speakers(said),
        length_scale=_scale(scales, _LENGTH),
        options=[Number(one.name, _scale(scales, one), one.minimum, one.maximum, one.description) for one in NOISE],
    )


def _model(folder: Path) -> Path:
    found = sorted(path for path in folder.rglob("*.onnx") if path.is_file())
    names = ", ".join(path.relative_to(folder).as_posix() for path in found)
    if not found:
        raise EngineError("the pin has no *.onnx file", FailureCode.MODEL_NOT_PULLED)
    if len(found) > 1:
        raise EngineError(f"a pin must have one voice (found {len(found)}: {names})")
    if not found[0].with_name(f"{found[0].name}.json").is_file():
        raise EngineError(f"{names}.json is missing", FailureCode.MODEL_NOT_PULLED)
    return found[0]


def _table(said: Mapping[str, Any], name: str, default: object = None) -> Mapping[str, Any]:
    found = said.get(name, default)
    if not isinstance(found, dict):
        raise EngineError(f"the voice's JSON has no table {name}")
    return found


def _whole(value: object, name: str, low: int, high: int) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or not low <= value <= high:
        raise EngineError(f"{name} must be a whole number from {low} to {high}, not {value!r}")
    return value


def _scale(scales: Mapping[str, Any], known: Number) -> float:
    value = scales.get(known.name, known.default)
    if (fault := known.fault(value)) is not None:
        raise EngineError(f"inference/{known.name} {fault}, not {value!r}")
    return float(value)


def _languages(language: Mapping[str, Any], espeak: str) -> tuple[str, ...]:
    """Return the tags of a voice: ``en_US`` serves ``en-us``, and ``en`` for requests that name no region."""
    code = str(language.get("code") or espeak).lower().replace("_", "-")
    if not is_tag(code):
        return ()
    return tuple(dict.fromkeys((code, code.partition("-")[0])))


def _speakers(said: Mapping[str, Any]) -> Mapping[str, int]:
    count = _whole(said.get("num_speakers"), "num_speakers", 1, 100_000)
    named = _table(said, "speaker_id_map", {})
    if count == 1:
        return {}
    for name, number in named.items():
        _whole(number, f"speaker_id_map/{name}", 0, count - 1)
    first = _whole(said.get("default_speaker_id", 0), "default_speaker_id", 0, count - 1)
    speakers = named or {str(number): number for number in range(count)}
    return dict(sorted(speakers.items(), key=lambda speaker: speaker[1] != first))
