"""Relative change: the ratios that a t test does not refute."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from services.scorer.analysis.statistics.ratios import relative_change
from tests.scorer.statistics.samples import gauss


def test_at_its_ends_the_t_test_turns() -> None:
    baseline = gauss(20, 3.6, 0.4)
    candidate = 1.1 * baseline + gauss(20, 0, 0.3, seed=1)
    found = relative_change(candidate, baseline)
    assert found is not None
    assert found.estimate == pytest.approx(candidate.mean() / baseline.mean() - 1)
    for end in (found.low, found.high):
        assert stats.ttest_1samp(candidate - (1 + end) * baseline, 0).pvalue == pytest.approx(0.05, rel=1e-6)


def test_an_exact_tenth_more_has_no_doubt() -> None:
    baseline = gauss(12, 3.6, 0.4)
    found = relative_change(1.1 * baseline, baseline)
    assert found is not None
    assert (found.low, found.estimate, found.high) == pytest.approx((0.1, 0.1, 0.1))


@pytest.mark.parametrize(
    "baseline",
    [gauss(20, 0.1, 1.0, seed=2), gauss(20, -20.0), np.zeros(20), np.ones(1)],
    ids=["not surely above zero", "below zero", "zero", "one item"],
)
def test_where_a_share_means_nothing_there_is_none(baseline: np.ndarray) -> None:
    assert relative_change(baseline + 1, baseline) is None


def test_a_score_may_be_zero() -> None:
    found = relative_change(np.tile([0.0, 0.1, 0.2], 8), np.tile([0.1, 0.2, 0.3], 8))
    assert found is not None
    assert found.low < -0.5 < found.high
