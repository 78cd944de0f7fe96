"""What a caller submits: a text and how it is to be spoken.

Owns the options of a submission and its JSON. Validates nothing that the gateway validates.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Required, TypedDict

from ringtrue.lexicons import with_lexicon


class SpeechOptions(TypedDict, total=False):
    """How a text is to be spoken. The gateway and the pin decide what is left out."""

    pin: Required[str]
    """Name of the model version, e.g. ``espeak-v2``, or an alias of one, e.g. ``espeak@production``."""
    language: str
    """BCP 47 tag."""
    voice: str
    """One of the engine's own voices."""
    reference: str
    """Id of an uploaded voice."""
    emotion: str | Mapping[str, Any]
    """A name, or ``{"vector": [...]}``, ``{"audio": "voice_..."}``, ``{"text": "..."}``."""
    strength: float
    """Strength of the emotion, 0 to 1."""
    speed: float
    """0.25 to 4; 1 is the voice's own."""
    pitch_scale: float
    """0.5 to 2; 1 is the voice's own."""
    seed: int
    sample_rate: int
    """Sample rate in Hz."""
    lexicon: Path | Mapping[str, Any]
    """How words are to be read: a file (TOML), or the same as JSON."""
    options: Mapping[str, Any]
    """The engine's own options."""
    score: bool | list[str]
    """True: the default metrics; False: none; or metric families by name."""
    pronunciation: Mapping[str, Any]
    """What is judged of it: ``{"target": "重庆", "right": ["崇庆"], "wrong": ["众庆"]}``."""
    priority: int
    """-10 to 10, among the user's own jobs."""
    ttl_s: float
    """Seconds that the job may wait."""
    timeout_s: float
    """Seconds that the job may run."""
    metadata: Mapping[str, str]


class SpeechRequest(SpeechOptions):
    """A text and how it is to be spoken."""

    text: str


def speech(text: str, how: SpeechOptions) -> dict[str, Any]:
    """Return the JSON body of one submission, with ``strength`` inside ``emotion``.

    Raises `ValueError` for a strength without an emotion, and as `with_lexicon`.
    """
    body: dict[str, Any] = {"text": text, **how, **with_lexicon(how)}
    strength = body.pop("strength", None)
    if strength is not None:
        emotion = body.get("emotion")
        if emotion is None:
            raise ValueError("strength needs an emotion, and no emotion is given")
        body["emotion"] = {**({"name": emotion} if isinstance(emotion, str) else emotion), "strength": strength}
    return body
