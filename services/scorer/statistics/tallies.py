"""Win, tie, loss: on how many items the candidate is better, about the same, worse."""

from __future__ import annotations

from dataclasses import dataclass

from services.scorer.statistics.values import Values, finite


@dataclass(frozen=True, slots=True)
class Tally:
    wins: int
    ties: int
    losses: int


def tally(gains: Values, band: float = 0.0) -> Tally:
    """Count gains by item (positive: the candidate is better), shape (n,); within ``band`` of zero is a tie.

    ``band``: what one item differs by when nothing changed (`NoiseFloor.item_band`), in the unit of the gains.
    """
    if not band >= 0:
        raise ValueError(f"a tie band is zero or more, not {band}")
    gains = finite(gains)
    wins, losses = int((gains > band).sum()), int((gains < -band).sum())
    return Tally(wins, len(gains) - wins - losses, losses)
