"""How a row of a comparison reads, in a word, for its table and for the headline.

Owns when a difference counts: the corrected p, enough items, and no side with too many missing scores. Margins and
verdicts belong to the gate.
"""

from __future__ import annotations

from enum import StrEnum

from services.scorer.analysis.comparison.result import MetricRow
from services.scorer.analysis.statistics.rules import FEWEST_ITEMS
from shared.gating.rules import UNSCORED_AT_MOST
from shared.scores import Direction


class Reads(StrEnum):
    """How a row reads. The values are shown to people."""

    BETTER = "better"
    WORSE = "worse"
    EVEN = "no clear difference"
    FEW = "too few items"
    ONE_SIDED = "too much left out"
    DESCRIBES = "describes"
    NOT_MEASURED = "not measured"


def reads(row: MetricRow, confidence: float = 0.95) -> Reads:
    """Return how a row reads. A difference counts if its corrected p is at most 1 - ``confidence``."""
    if row.difference is None:
        return Reads.NOT_MEASURED
    if row.direction == Direction.NEUTRAL:
        return Reads.DESCRIBES
    if row.n < FEWEST_ITEMS:
        return Reads.FEW
    if _left_out_by_one_side(row) > UNSCORED_AT_MOST:
        return Reads.ONE_SIDED
    if row.p_corrected is None or row.p_corrected > 1 - confidence or row.difference.estimate == 0:
        return Reads.EVEN
    return Reads.BETTER if (row.difference.estimate > 0) == (row.direction == Direction.HIGHER) else Reads.WORSE


def _left_out_by_one_side(row: MetricRow) -> float:
    """Return the share of pairs that one side has scored and the other has not.

    What neither side has (a language that is not covered) is the same for both. But a candidate that has no scores
    where it
    is bad looks better in what is left.
    """
    either = row.wanted - row.scored
    sides = sum(row.baseline_unscored.values()) + sum(row.candidate_unscored.values())
    return (2 * either - sides) / row.wanted if row.wanted else 0.0
