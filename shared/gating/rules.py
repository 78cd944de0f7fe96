"""The rules of a gate as values, and as the JSON that a request, a stored study and a ``gate.toml`` share.

Owns their words and defaults. Knows no metric and no statistics; checking.py finds what is wrong with a document.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

from shared.errors import InvalidRequest
from shared.scores import Direction

SCHEMA = 1
FEWEST_ITEMS = 10
"""With fewer items there is no verdict (docs/statistics.md). A rule may ask for more, not for fewer."""
UNSCORED_AT_MOST = 0.1
CONFIDENCE = 0.95
COVERAGE = "coverage/"
"""``coverage/<metric>``: 1 for a clip that the metric could score, 0 for one that it could not."""

Demand = Literal["not_worse", "better"]
Scale = Literal["absolute", "relative", "noise_floors"]


class RulesInvalid(InvalidRequest):
    """Rules that cannot be read. ``errors`` names everything that is wrong, by JSON pointer."""


@dataclass(frozen=True, slots=True)
class RuleAmount:
    """How much is allowed or required.

    ``value`` >= 0: in the metric's unit, as a share (0.05 is 5 %), or in noise floors.
    """

    value: float
    scale: Scale = "absolute"

    def to_json(self) -> float | str:
        """Return the amount as a file writes it."""
        if self.scale == "relative":
            return f"{self.value * 100:.12g} %"
        return f"{self.value:.12g} floors" if self.scale == "noise_floors" else self.value


@dataclass(frozen=True, slots=True)
class RuleSpec:
    """What is demanded of one metric, in one scope or in each of several."""

    metric: str
    demand: Demand
    amount: RuleAmount
    scope: str = "overall"
    """``overall``, ``emotion/<name>``, ``language/<tag>``, ``tag/<tag>``, or ``each_emotion`` and so on."""
    direction: Direction | None = None
    """higher or lower; ``None`` is the metric's own direction."""
    fewest_items: int = FEWEST_ITEMS
    unscored_at_most: float = UNSCORED_AT_MOST
    """Share of pairs of clips, 0 to 1."""
    if_covered: bool = False
    """True: the rule is only about items that the metric covers. Items that it can score for neither side, because
    language, reference, text, class or weights are missing, are not part of the rule; if there are no others, the rule
    does not apply. False: such items are unscored like any other."""

    def to_json(self) -> dict[str, Any]:
        said: dict[str, Any] = {"metric": self.metric, "scope": self.scope}
        said["not_worse_by" if self.demand == "not_worse" else "better_by"] = self.amount.to_json()
        if self.direction is not None:
            said["direction"] = self.direction.value
        limits = {"fewest_items": self.fewest_items, "unscored_at_most": self.unscored_at_most}
        return {**said, **limits, "if_covered": self.if_covered}


@dataclass(frozen=True, slots=True)
class Rules:
    """All rules of a gate. The gate passes if each of them does."""

    rules: tuple[RuleSpec, ...]
    confidence: float = CONFIDENCE
    """Confidence of the intervals that decide."""

    def to_json(self) -> dict[str, Any]:
        """Return the rules with every default filled in. `read_rules` reads this back."""
        return {"schema": SCHEMA, "confidence": self.confidence, "rule": [rule.to_json() for rule in self.rules]}
