"""From an emotion to the arguments of IndexTTS2: a vector, a recording or words, and how much of it.

Owns the order of the eight emotions and the bounds of a vector. The package would take any vector; its own command line
refuses a sum above 0.8, because the emotion then overrides the voice.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from services.worker.engines.base import EngineError
from shared.controls import CANONICAL_EMOTIONS, Emotion

ORDER = ("happy", "angry", "sad", "afraid", "disgusted", "melancholic", "surprised", "calm")
EXTRAS = ("indextts2:melancholic", "indextts2:calm")
EMOTIONS = (*CANONICAL_EMOTIONS, *EXTRAS)
_CANONICAL = {"fear": "afraid", "disgust": "disgusted", "surprise": "surprised"}
"""Names that differ between us and IndexTTS2."""

LARGEST_SUM = 0.8
MOST_BY_WORDS = 0.6
"""The largest strength of an emotion by text. The package's publishers advise against more."""

Normalised = Callable[[Sequence[float]], Sequence[float]]


def arguments(emotion: Emotion | None, normalised: Normalised) -> dict[str, Any]:
    """Return the arguments of ``infer``. Without an emotion there are none, which gives the same samples as a vector of
    zeros.

    ``normalised`` is the package's own way to weaken emotions that come out too strong. Strength is not multiplied into
    the vector before it, because the function saturates.
    """
    if emotion is None or emotion.strength == 0:
        return {}
    if emotion.audio is not None:
        return {"emo_audio_prompt": _recording(emotion.audio), "emo_alpha": emotion.strength}
    if emotion.text is not None:
        return {"use_emo_text": True, "emo_text": emotion.text, "emo_alpha": min(emotion.strength, MOST_BY_WORDS)}
    if emotion.vector is not None:
        return {"emo_vector": _vector(emotion.vector), "emo_alpha": emotion.strength}
    if emotion.name in (None, "neutral"):
        return {}
    return {"emo_vector": list(normalised(_only(emotion.name))), "emo_alpha": emotion.strength}


def _only(name: str) -> list[float]:
    bare = name.removeprefix("indextts2:")
    return [float(theirs == _CANONICAL.get(bare, bare)) for theirs in ORDER]


def _vector(given: Sequence[float]) -> list[float]:
    if len(given) != len(ORDER):
        raise EngineError(f"an emotion vector must have {len(ORDER)} numbers ({', '.join(ORDER)}), not {len(given)}")
    if not all(math.isfinite(weight) and 0 <= weight <= 1 for weight in given):
        raise EngineError("every number of an emotion vector must be from 0 to 1")
    if (total := sum(given)) > LARGEST_SUM + 1e-6:
        raise EngineError(f"the numbers of an emotion vector must add up to at most {LARGEST_SUM}, not {total:g}")
    return list(given)


def _recording(path: str) -> str:
    if not Path(path).is_file():
        raise EngineError("the recording of the emotion is missing")
    return path
