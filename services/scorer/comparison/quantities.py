"""What is known of a quantity by its name: unit, direction, whether it is yes or no, whose licence it comes under.

Owns the pseudo metric `coverage/<quantity>` as a quantity. What a quantity is stands in the metrics' facts, and is read
from there; one that they do not have (of another scorer) is taken as it comes and only described.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from services.scorer.metrics.table import FAMILIES
from shared.gating.rules import COVERAGE
from shared.scores import Direction, MetricInfo, Quantity

_YES_OR_NO = frozenset({"emotion/correct"})
_COST = "cost/"


@dataclass(frozen=True, slots=True)
class Quantities:
    """The facts of some metrics, by quantity."""

    families: tuple[MetricInfo, ...]

    def get(self, name: str) -> Quantity | None:
        """The facts of a quantity or of its coverage; ``None`` where nobody has stated any."""
        if (of := covered(name)) is not None:
            return None if self.get(of) is None else Quantity(name, "1", Direction.HIGHER, 0, 1)
        return next((one for info in self.families for one in info.quantities if one.name == name), None)

    def direction(self, name: str) -> Direction:
        """Neutral for a quantity that is not known."""
        found = self.get(name)
        return found.direction if found else Direction.NEUTRAL

    def ordered(self, names: Iterable[str]) -> list[str]:
        """As the metrics state them; unknown ones follow by name."""
        place = {one.name: index for index, one in enumerate(one for info in self.families for one in info.quantities)}
        return sorted(names, key=lambda name: (place.get(name, len(place)), name))

    def licences(self, names: Iterable[str]) -> Mapping[str, str]:
        """Family -> licence, of the families that have given a score."""
        wanted = set(names)
        return {info.family: info.licence for info in self.families if wanted & {*info.names}}


SHIPPED = Quantities(tuple(family.info for family in FAMILIES.values()))


def covered(name: str) -> str | None:
    """The quantity whose coverage ``name`` is; ``None`` for a quantity itself."""
    return name.removeprefix(COVERAGE) if name.startswith(COVERAGE) else None


def is_binary(name: str) -> bool:
    """Whether each score is yes or no."""
    return name in _YES_OR_NO or covered(name) is not None


def is_cost(name: str) -> bool:
    return name.startswith(_COST)
