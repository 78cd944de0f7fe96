"""From an emotion to the input of Sambert: the category of an SSML element around the text.

Owns which voice has which emotions, and the markup. An emotion is on or off: the model has one embedding per category,
and ``intensity`` does not reach it. Every category has an embedding, whether the voice was trained on it or not, so
only the emotions known for a voice are offered.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any
from xml.sax.saxutils import escape

from services.worker.engines.base import EngineError
from shared.controls import CANONICAL_EMOTIONS, Emotion

_PREFIX = "sambert:"
_CANONICAL = {"disgust": "hate"}
"""Names that differ between us and the voices' training data."""
_EXTRAS = (
    *("calm", "gentle", "relax", "lyrical", "serious", "disgruntled", "satisfied", "disappointed"),
    *("excited", "anxiety", "jealousy", "pity", "pleasure", "arousal", "dominance"),
)
"""Further categories of the model (kantts/utils/ling_unit/emotion_types.py)."""
NAMES = (*CANONICAL_EMOTIONS, *(_PREFIX + extra for extra in _EXTRAS))

KNOWN: Mapping[str, Sequence[str]] = {
    "zhitian_emo": CANONICAL_EMOTIONS,
    "zhibei_emo": CANONICAL_EMOTIONS,
    "zhimi_emo": CANONICAL_EMOTIONS,
    "zhiyan_emo": (*CANONICAL_EMOTIONS, "sambert:arousal"),
}
"""What published voices were trained on. For zhizhe_emo this is not published."""


def declared(given: Any) -> Mapping[str, Sequence[str]]:
    """Return the pin's option ``emotions``, a table of voices to names, checked. Raises `EngineError`."""
    if not isinstance(given, Mapping) or not all(isinstance(names, (list, tuple)) for names in given.values()):
        raise EngineError(f"the pin's option emotions must be a table of voices to lists of emotions, not {given!r}")
    for voice, names in given.items():
        if unknown := [name for name in names if name not in NAMES]:
            raise EngineError(
                f"unknown emotion of {voice} in the pin's option emotions: {', '.join(map(str, unknown))};"
                f" known: {', '.join(NAMES)}"
            )
    return {voice: tuple(name for name in NAMES if name in {"neutral", *names}) for voice, names in given.items()}


def marked(text: str, emotion: Emotion | None, able: Sequence[str]) -> str:
    """Return the front end's input for ``text`` in a voice that has the emotions ``able``.

    For such a voice, no emotion, ``neutral`` and strength 0 all mean its neutral category. A voice without emotions
    gets the text as it is, unless it could be taken for markup. Raises `EngineError` for an emotion that the voice
    lacks.
    """
    name = emotion.name if emotion is not None and emotion.strength > 0 and emotion.name else "neutral"
    if not able and name == "neutral":
        return f"<speak>{escape(text)}</speak>" if set(text) & set("<&") else text
    if name not in able:
        raise EngineError(f"the voice has no emotion {name}; it has: {', '.join(able) or 'none'}")
    category = _CANONICAL.get(name, name.removeprefix(_PREFIX))
    return f'<speak><emotion category="{category}" intensity="1.0">{escape(text)}</emotion></speak>'
