"""The row of the report: what is said of one metric."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from services.scorer.analysis.statistics.effects import effect
from services.scorer.analysis.statistics.intervals import Method
from services.scorer.analysis.statistics.noise import SeedNoise
from services.scorer.analysis.statistics.pairing import pair
from services.scorer.analysis.statistics.tallies import Tally
from shared.scores import Direction
from tests.scorer.statistics.samples import gauss, pairs_of, scored, signs


def test_a_row_says_means_difference_share_p_and_tally() -> None:
    baseline, change = gauss(35, 3.6, 0.3), gauss(35, 0.35, 0.3, seed=1)
    found = effect(pairs_of(baseline, baseline + change), Direction.HIGHER)
    assert found.n == 35
    assert found.baseline_mean == pytest.approx(baseline.mean())
    assert found.difference is not None
    assert found.difference.estimate == pytest.approx(change.mean())
    assert found.relative is not None
    assert found.relative.estimate == pytest.approx(change.mean() / baseline.mean())
    assert found.p == pytest.approx(stats.ttest_1samp(change, 0).pvalue, abs=0.001)
    assert found.tally == Tally(int((change > 0).sum()), 0, int((change < 0).sum()))


def test_the_band_of_the_floor_makes_ties() -> None:
    found = effect(pairs_of([3.0] * 3, [3.01, 3.5, 2.5]), Direction.LOWER, floor=SeedNoise(0.01, 100, 35))
    assert found.tally == Tally(1, 1, 1)


def test_yes_and_no_at_one_seed_are_counted_by_disagreement() -> None:
    found = effect(pairs_of(np.zeros(20), signs(6, 0, 20)), Direction.HIGHER, binary=True)
    assert found.difference is not None
    assert found.difference.method is Method.TANGO
    assert found.p == pytest.approx(2 * 0.5**6)
    assert found.relative is None


def test_yes_and_no_at_several_seeds_are_shares_by_item() -> None:
    before, after = scored([[0, 0, 1]] * 12), scored([[1, 0, 1]] * 6 + [[0, 0, 1]] * 6)
    found = effect(pair(before, after), Direction.HIGHER, binary=True)
    assert found.difference is not None
    assert found.difference.method is Method.PSEUDO_ITEMS
    assert found.p == pytest.approx(2 * 0.5**6)


def test_a_seed_that_was_left_out_does_not_make_a_share_a_yes() -> None:
    before, after = scored([[0, 0]] * 12), scored([[1, 0]] * 6 + [[1, None]] * 6)
    found = effect(pair(before, after), Direction.HIGHER, binary=True)
    assert found.difference is not None
    assert found.difference.estimate == pytest.approx(0.75)


def test_a_metric_that_only_describes_has_no_tally() -> None:
    assert effect(pairs_of([1.0, 2.0], [2.0, 4.0]), Direction.NEUTRAL).tally is None


def test_of_nothing_nothing_is_said() -> None:
    found = effect(pair({}, {}), Direction.HIGHER)
    assert (found.n, found.baseline_mean, found.difference, found.relative, found.p) == (0, None, None, None, 1.0)
