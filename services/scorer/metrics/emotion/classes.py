"""Maps a classifier's own classes to the seven emotions, and its probabilities to readings.

Owns the names that classifiers give to emotions, and the rule for the emotion that is heard: the one with the highest
probability, where the classes of one emotion (``neutral`` and ``calm``) count together. Knows no model.

A class that is none of the seven (other, unknown, a class that nobody has mapped) keeps its probability, and the clip
counts as wrong if it is the highest. Such classes mean different things, so each counts by itself. Their probability
is not distributed over the other classes.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from services.scorer.metrics.base import Reading
from shared.controls import CANONICAL_EMOTIONS
from shared.scores import Reason, Unscored

OTHER = "other"
REVISION = 2
"""Raised when the names below or the rule change."""

_NAMES = {
    "neutral": ("neu", "calm", "中立", "中性"),
    "happy": ("hap", "happiness", "joy", "开心", "高兴"),
    "angry": ("ang", "anger", "生气", "愤怒"),
    "sad": ("sadness", "难过", "悲伤"),
    "fear": ("fearful", "afraid", "scared", "恐惧"),
    "disgust": ("disgusted", "hate", "厌恶"),
    "surprise": ("surprised", "吃惊", "惊讶"),
}
_CANONICAL = {name: emotion for emotion, names in _NAMES.items() for name in (emotion, *names)}


def canonical(label: str) -> str | None:
    """Return the emotion that a classifier's ``label`` means, or ``None`` if it is none of the seven.

    Letter case does not matter. In a label in two languages (``生气/angry``) the last one counts.
    """
    return _CANONICAL.get(label.rpartition("/")[2].strip().lower())


@dataclass(frozen=True, slots=True)
class EmotionScores:
    """The output of a classifier: its classes in its own order, and a probability for each.

    Raises `ValueError` if their numbers differ or the probabilities do not add up to 1.
    """

    labels: Sequence[str]
    probabilities: Sequence[float]

    def __post_init__(self) -> None:
        count, total = len(self.probabilities), sum(self.probabilities)
        if len(self.labels) != count or not math.isclose(total, 1, abs_tol=1e-3):
            raise ValueError(f"{len(self.labels)} labels with {count} scores that add up to {total:g}")

    def readings(self, target: str | None) -> dict[str, Reading]:
        """Return a reading for each name of the family ``emotion``.

        ``target``: the emotion that was asked for, canonical or not.
        """
        masses = self._masses()
        readings = {f"emotion/p_{name}": _mass(masses, name) for name in CANONICAL_EMOTIONS}
        others = (mass for name, mass in masses.items() if name not in CANONICAL_EMOTIONS)
        readings[f"emotion/p_{OTHER}"] = min(math.fsum(others), 1.0)
        if target not in CANONICAL_EMOTIONS:
            asked = "" if target is None else f" (requested: {target})"
            return readings | _judged(Unscored(Reason.CLASS_NOT_COVERED, f"no canonical emotion was requested{asked}"))
        if isinstance(mass := readings[f"emotion/p_{target}"], Unscored):
            return readings | _judged(mass)
        # Among equal probabilities, max keeps the first one in the classifier's order.
        heard = max(masses, key=masses.__getitem__)
        return readings | {"emotion/correct": float(heard == target), "emotion/target_probability": mass}

    def _masses(self) -> dict[str, float]:
        """Return the probability of each emotion, and of each class that is none, by its label."""
        masses: dict[str, float] = {}
        for label, probability in zip(self.labels, self.probabilities, strict=True):
            name = canonical(label) or label
            masses[name] = min(masses.get(name, 0.0) + probability, 1.0)
        return masses


def _mass(masses: Mapping[str, float], emotion: str) -> Reading:
    if emotion not in masses:
        return Unscored(Reason.CLASS_NOT_COVERED, f"the classifier has no class for {emotion}")
    return masses[emotion]


def _judged(why: Unscored) -> dict[str, Reading]:
    return {"emotion/correct": why, "emotion/target_probability": why}
