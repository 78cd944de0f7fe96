"""Checks a request against the pin's manifest.

The gateway has refused most faults at submit. What reaches a host in another way, or after the manifest has changed, is
refused here. Each engine checks its own options.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator

from services.worker.engines.base import EngineError, SpeakRequest
from shared.catalog import Manifest, Support
from shared.controls import EMOTION_FORMS, SAMPLE_RATE, SEED, STRENGTH, VALUES, Control
from shared.errors import FailureCode


def check(request: SpeakRequest, sample_rate: int | None, manifest: Manifest) -> None:
    """Raise `EngineError` for the first fault of ``request`` that ``manifest`` does not allow."""
    if not request.text.strip():
        raise EngineError("the text is empty", FailureCode.ENGINE_RETURNED_NOTHING)
    for fault in _faults(request, sample_rate, manifest):
        raise EngineError(fault)


def unusual_options(request: SpeakRequest, manifest: Manifest) -> str:
    """Return the options of ``request`` that differ from their defaults, for a message. Empty if none does."""
    declared = manifest.options_schema.get("properties", {})
    moved = {name: value for name, value in request.options.items() if value != declared.get(name, {}).get("default")}
    return ", ".join(f"options/{name} {value}" for name, value in moved.items())


def _faults(request: SpeakRequest, sample_rate: int | None, manifest: Manifest) -> Iterator[str]:
    for control in VALUES:
        yield from _out_of_bounds(control, getattr(request, control.name))
    yield from _out_of_bounds(SAMPLE_RATE, sample_rate)
    yield from _emotion_faults(request, manifest)
    for name in _asked(request, sample_rate, manifest):
        if manifest.support(name) is Support.UNSUPPORTED:
            yield f"{manifest.pin} does not support {name}"
    if request.voice is not None and not _known_voice(request.voice, manifest):
        yield f"{manifest.pin} has no voice {request.voice}"


def _known_voice(voice: str, manifest: Manifest) -> bool:
    composed = manifest.voice_pattern is not None and re.fullmatch(manifest.voice_pattern, voice) is not None
    return composed or voice in manifest.voices


def _out_of_bounds(control: Control, value: object, name: str | None = None) -> Iterator[str]:
    low, high = control.minimum, control.maximum
    if not isinstance(value, int | float) or low is None or high is None:
        return
    if not (math.isfinite(value) and low <= value <= high):
        yield f"{name or control.name} must be from {low:g} to {high:g}, not {value:g}"


def _emotion_faults(request: SpeakRequest, manifest: Manifest) -> Iterator[str]:
    if request.emotion is not None:
        yield from _out_of_bounds(STRENGTH, request.emotion.strength, "emotion strength")
        if request.emotion.name is not None and request.emotion.name not in manifest.emotions:
            yield f"{manifest.pin} has no emotion {request.emotion.name}"


def _asked(request: SpeakRequest, sample_rate: int | None, manifest: Manifest) -> Iterator[str]:
    """Yield the controls that ``request`` moves away from their neutral value. The seed is left out, since every
    request has one."""
    if request.emotion is not None:
        yield from _emotion_controls(request)
    for control in VALUES:
        if control is not SEED and getattr(request, control.name) != control.neutral:
            yield control.name
    if request.reference is not None:
        yield "reference"
    if sample_rate not in (None, manifest.sample_rate):
        yield "sample_rate"


def _emotion_controls(request: SpeakRequest) -> Iterator[str]:
    emotion = request.emotion
    assert emotion is not None
    for form, control in EMOTION_FORMS.items():
        if getattr(emotion, form) is not None:
            yield control.name
    if emotion.strength != 1:
        yield STRENGTH.name
