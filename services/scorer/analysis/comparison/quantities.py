"""What is known of a quantity by its name: unit, direction, whether it is yes or no, and its licence.

Owns the pseudo metric `coverage/<quantity>` as a quantity. All other facts come from the metrics. A quantity that they
do not know (of another scorer) is taken as it is and only described.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from shared.gating.rules import COVERAGE
from shared.metric_families import families
from shared.metrics import PRONUNCIATION
from shared.scores import Direction, MetricInfo, Quantity, Score, Scored

_YES_OR_NO = frozenset({"emotion/correct", *PRONUNCIATION.names})
_COST = "cost/"


@dataclass(frozen=True, slots=True)
class Quantities:
    """The facts of some metrics, by quantity."""

    families: tuple[MetricInfo, ...]

    def get(self, name: str) -> Quantity | None:
        """Return the facts of a quantity or of its coverage, or ``None`` if no metric declares it."""
        if (of := covered(name)) is not None:
            return None if self.get(of) is None else Quantity(name, "1", Direction.HIGHER, 0, 1)
        return next((one for info in self.families for one in info.quantities if one.name == name), None)

    def direction(self, name: str) -> Direction:
        """Return the direction of a quantity. An unknown one is neutral."""
        found = self.get(name)
        return found.direction if found else Direction.NEUTRAL

    def unit(self, name: str, found: Iterable[Scored]) -> str:
        """Return the unit of a quantity. For an unknown one it is the unit of its first score, or empty if there is
        none."""
        known = self.get(name)
        return known.unit if known else next((one.unit for one in found if isinstance(one, Score)), "")

    def ordered(self, names: Iterable[str]) -> list[str]:
        """Return the names in the order of the metrics. Unknown ones follow, by name."""
        place = {one.name: index for index, one in enumerate(one for info in self.families for one in info.quantities)}
        return sorted(names, key=lambda name: (place.get(name, len(place)), name))

    def licences(self, names: Iterable[str]) -> Mapping[str, str]:
        """Return the licence of each family that has given a score."""
        wanted = set(names)
        return {info.family: info.licence for info in self.families if wanted & {*info.names}}


def known_quantities() -> Quantities:
    """Return the facts of all metrics that are installed."""
    return Quantities(tuple(families().values()))


def covered(name: str) -> str | None:
    """Return the quantity whose coverage ``name`` is, or ``None`` if it is a quantity itself."""
    return name.removeprefix(COVERAGE) if name.startswith(COVERAGE) else None


def is_binary(name: str) -> bool:
    """Return whether each score is yes or no."""
    return name in _YES_OR_NO or covered(name) is not None


def is_cost(name: str) -> bool:
    return name.startswith(_COST)
