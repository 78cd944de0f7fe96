"""Win, tie, loss: on how many items the candidate is better, about the same, worse."""

from __future__ import annotations

from dataclasses import dataclass

from services.scorer.analysis.statistics.values import Values, finite


@dataclass(frozen=True, slots=True)
class Tally:
    wins: int
    ties: int
    losses: int


def tally(gains: Values, band: float = 0.0) -> Tally:
    """Count the gains by item (positive: the candidate is better), shape (n,). A gain within ``band`` of zero is a tie.

    ``band``: how much one item differs when nothing changed (`NoiseFloor.item_band`), in the unit of the gains. Raises
    `ValueError` if it is negative or NaN.
    """
    if not band >= 0:
        raise ValueError(f"a tie band is zero or more, not {band}")
    gains = finite(gains)
    wins, losses = int((gains > band).sum()), int((gains < -band).sum())
    return Tally(wins, len(gains) - wins - losses, losses)
