"""Controls: what a job may ask of a voice besides its text.

Owns names, bounds, and the value at which a control changes nothing. Submissions, manifests, engines' requests,
answers, run records and certificates are built from these. The type of a control's value is that of the attribute of
the same name in `SpeechControls`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

CANONICAL_EMOTIONS = ("neutral", "happy", "angry", "sad", "fear", "disgust", "surprise")


@dataclass(frozen=True, slots=True)
class Control:
    """One control."""

    name: str
    description: str
    minimum: float | None = None
    maximum: float | None = None
    neutral: float | None = None
    """The value that leaves a voice as it is. Every pin accepts it, even one that does not honour the control."""


MAX_SEED = 2**32 - 1
"""The widest range that the random generators of all engines accept."""

SPEED = Control("speed", "1 (default): the voice's own.", 0.25, 4, neutral=1.0)
PITCH_SCALE = Control("pitch_scale", "1 (default): the voice's own.", 0.5, 2, neutral=1.0)
SEED = Control("seed", "Default 0.", 0, MAX_SEED)
SAMPLE_RATE = Control("sample_rate", "Hz. Default: the pin's own.", 8_000, 48_000)
REFERENCE = Control("reference", "Id of an uploaded voice to speak with.")

VALUES = (SPEED, PITCH_SCALE, SEED)
"""Controls with a plain value, each an attribute of a job; an engine gets the value as it is."""

EMOTION_FORMS: Mapping[str, Control] = {
    "name": Control("emotion", "A canonical emotion, or one of the engine's own."),
    "vector": Control("emotion_vector", "Eight numbers."),
    "audio": Control("emotion_audio", "Id of an uploaded voice that has the emotion."),
    "text": Control("emotion_text", "A description in words."),
}
"""Member of ``emotion`` -> the control that it asks for. Exactly one of them is given."""
STRENGTH = Control("strength", "How strong the emotion is.", 0, 1)

CONTROLS: Mapping[str, Control] = {
    control.name: control for control in (*EMOTION_FORMS.values(), STRENGTH, *VALUES, SAMPLE_RATE, REFERENCE)
}
"""All controls by name. A manifest says for each how its pin honours it."""


@dataclass(frozen=True, slots=True)
class Emotion:
    """An emotion.

    Exactly one of ``name``, ``vector`` (8 numbers), ``audio`` (id of an uploaded voice) and ``text`` is given.
    ``strength`` is from 0 to 1.
    """

    name: str | None = None
    vector: tuple[float, ...] | None = None
    audio: str | None = None
    text: str | None = None
    strength: float = 1.0


@dataclass(frozen=True, slots=True, kw_only=True)
class SpeechControls:
    """How a text is to be spoken. An engine gets these values as the job has them."""

    voice: str | None = None
    """A voice of the engine's own, by name."""
    emotion: Emotion | None = None
    speed: float = 1.0
    pitch_scale: float = 1.0
    seed: int = 0
    options: Mapping[str, Any] = field(default_factory=dict)
    """Options of the engine's own."""
