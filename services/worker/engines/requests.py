"""What may be asked of a pin: a request against the pin's manifest.

Owns the bounds of the controls. The gateway has refused most of this at submit; what reaches a host by another way, or
after the manifest has changed, is refused here. Options are the engine's own to check.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator

from services.worker.engines.base import EngineError, SpeakRequest
from shared.catalog import Manifest, Support
from shared.errors import FailureCode

SPEED = (0.25, 4.0)
PITCH_SCALE = (0.5, 2.0)
SAMPLE_RATE = (8_000, 48_000)


def check(request: SpeakRequest, sample_rate: int | None, manifest: Manifest) -> None:
    """Raises `EngineError` for the first thing about ``request`` that ``manifest`` does not allow."""
    if not request.text.strip():
        raise EngineError("there is no text", FailureCode.ENGINE_RETURNED_NOTHING)
    for fault in _faults(request, sample_rate, manifest):
        raise EngineError(fault)


def _faults(request: SpeakRequest, sample_rate: int | None, manifest: Manifest) -> Iterator[str]:
    yield from _out_of_bounds("speed", request.speed, SPEED)
    yield from _out_of_bounds("pitch_scale", request.pitch_scale, PITCH_SCALE)
    if sample_rate is not None:
        yield from _out_of_bounds("sample_rate", sample_rate, SAMPLE_RATE)
    yield from _emotion_faults(request, manifest)
    for control in _asked(request, sample_rate, manifest):
        if manifest.support(control) is Support.UNSUPPORTED:
            yield f"{control} is unsupported by {manifest.pin}"
    if request.voice is not None and not _known_voice(request.voice, manifest):
        yield f"{manifest.pin} has no voice {request.voice}"


def _known_voice(voice: str, manifest: Manifest) -> bool:
    composed = manifest.voice_pattern is not None and re.fullmatch(manifest.voice_pattern, voice) is not None
    return composed or voice in manifest.voices


def _out_of_bounds(name: str, value: float, bounds: tuple[float, float]) -> Iterator[str]:
    if not (math.isfinite(value) and bounds[0] <= value <= bounds[1]):
        yield f"{name} must be from {bounds[0]:g} to {bounds[1]:g}, not {value:g}"


def _emotion_faults(request: SpeakRequest, manifest: Manifest) -> Iterator[str]:
    if request.emotion is not None:
        yield from _out_of_bounds("emotion strength", request.emotion.strength, (0.0, 1.0))
        if request.emotion.name is not None and request.emotion.name not in manifest.emotions:
            yield f"{manifest.pin} has no emotion {request.emotion.name}"


def _asked(request: SpeakRequest, sample_rate: int | None, manifest: Manifest) -> Iterator[str]:
    """Controls that ``request`` moves away from where they do nothing. Every request has a seed."""
    if request.emotion is not None:
        yield from _emotion_controls(request)
    if request.speed != 1:
        yield "speed"
    if request.pitch_scale != 1:
        yield "pitch_scale"
    if request.reference is not None:
        yield "reference"
    if sample_rate not in (None, manifest.sample_rate):
        yield "sample_rate"


def _emotion_controls(request: SpeakRequest) -> Iterator[str]:
    emotion = request.emotion
    assert emotion is not None
    if emotion.name is not None:
        yield "emotion"
    for form in ("vector", "audio", "text"):
        if getattr(emotion, form) is not None:
            yield f"emotion_{form}"
    if emotion.strength != 1:
        yield "strength"
