"""Win, tie, loss by item."""

from __future__ import annotations

import numpy as np
import pytest

from services.scorer.analysis.statistics.tallies import Tally, tally

GAINS = np.array([0.3, 0.1, 0.0, -0.1, -0.3])


@pytest.mark.parametrize(("band", "expected"), [(0.0, Tally(2, 1, 2)), (0.1, Tally(1, 3, 1)), (1.0, Tally(0, 5, 0))])
def test_within_the_band_is_a_tie(band: float, expected: Tally) -> None:
    assert tally(GAINS, band) == expected


def test_of_no_item_there_is_nothing_to_count() -> None:
    assert tally(GAINS[:0]) == Tally(0, 0, 0)


@pytest.mark.parametrize("band", [-0.1, float("nan")])
def test_a_band_is_zero_or_more(band: float) -> None:
    with pytest.raises(ValueError, match="zero or more"):
        tally(GAINS, band)
