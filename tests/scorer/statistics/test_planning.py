"""Items that would settle it: the smallest number that does, and honest where none does."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from services.scorer.statistics.planning import MOST_ITEMS, items_needed
from tests.scorer.statistics.samples import gauss


def test_that_many_settle_it_in_eight_of_ten_and_one_less_does_not() -> None:
    gains = gauss(12, 0.1, 0.4)
    spread, distance = gains.std(ddof=1), gains.mean() + 0.05
    needed = items_needed(gains, -0.05)
    assert needed is not None
    reach = [(stats.t.ppf(0.975, n - 1) + stats.t.ppf(0.8, n - 1)) * spread / np.sqrt(n) for n in (needed, needed - 1)]
    assert reach[0] <= distance < reach[1]


def test_it_is_more_than_there_are() -> None:
    assert items_needed(gauss(30, 5.0, 0.1), 0.0) == 31


@pytest.mark.parametrize("gains", [gauss(0), gauss(1), np.ones(10), gauss(10) - gauss(10).mean(), gauss(MOST_ITEMS)])
def test_where_it_cannot_be_said_it_is_not(gains: np.ndarray) -> None:
    assert items_needed(gains, 0.0) is None
