"""The interval of a mean: Student's t where it is alone, never shorter than it, and the same from either side."""

from __future__ import annotations

import random
from statistics import fmean, stdev

import numpy as np
import pytest
from hypothesis import given, settings
from scipy import stats

from services.scorer.analysis.statistics.intervals import Interval, Method
from services.scorer.analysis.statistics.means import mean_bounds, mean_interval, p_mean_below
from services.scorer.analysis.statistics.resampling import studentised_roots
from services.scorer.analysis.statistics.values import Values
from tests.scorer.statistics.samples import SAMPLES, gauss


def interval(sample: Values, confidence: float = 0.95) -> Interval:
    found = mean_interval(sample, confidence)
    assert found is not None
    return found


@pytest.mark.parametrize("confidence", [0.9, 0.95, 0.99])
def test_below_ten_items_it_is_students_t(confidence: float) -> None:
    sample = gauss(9, 0.2)
    expected = stats.ttest_1samp(sample, 0).confidence_interval(confidence)
    found = interval(sample, confidence)
    assert (found.low, found.high) == pytest.approx((expected.low, expected.high), rel=1e-12)
    assert found.method is Method.T


def test_p_below_ten_items_is_students_t() -> None:
    sample = gauss(9, -0.4)
    expected = stats.ttest_1samp(sample, 0.1, alternative="less").pvalue
    assert p_mean_below(sample, 0.1) == pytest.approx(expected, rel=1e-12)


def test_from_ten_items_on_it_is_never_shorter_than_t() -> None:
    sample = np.exp(gauss(12))
    t = stats.ttest_1samp(sample, 0).confidence_interval(0.95)
    found = interval(sample)
    assert found.low <= t.low
    assert found.high > t.high + 0.2  # the long tail is above
    assert found.method is Method.T_AND_BOOTSTRAP


def test_roots_are_those_of_a_loop_over_resamples() -> None:
    sample, source = np.exp(gauss(15)), random.Random(3)
    values, roots = sample.tolist(), []
    for _ in range(10_000):
        drawn = source.choices(values, k=15)
        roots.append((fmean(drawn) - fmean(values)) / (stdev(drawn) / 15**0.5))
    for share in (0.025, 0.5, 0.975):
        found = np.quantile(studentised_roots(sample), share)
        # The long lower tail of t* is the noisiest: the spread of its quantile over draws is 0.06 of |t|.
        assert found == pytest.approx(np.quantile(roots, share), rel=0.06, abs=0.06)


def test_many_at_once_are_the_same_as_one_by_one() -> None:
    samples = np.stack([gauss(12, seed=seed) for seed in range(4)])
    low, high = mean_bounds(samples)
    for row, bounds in zip(samples, zip(low, high, strict=True), strict=True):
        assert bounds == pytest.approx((interval(row).low, interval(row).high), rel=1e-12)


@pytest.mark.parametrize("n", [0, 1])
def test_without_two_items_there_is_none(n: int) -> None:
    assert mean_interval(np.ones(n)) is None


def test_a_constant_difference_is_a_point_and_says_so() -> None:
    found = interval(np.full(20, 0.1 + 0.2))
    assert (found.low, found.high) == pytest.approx((0.3, 0.3))
    assert found.method is Method.CONSTANT


@pytest.mark.parametrize("others", [0.0, 0.001])
def test_one_item_that_differs_leaves_the_interval_finite(others: float) -> None:
    found = interval(np.array([-1.0] + [others, -others] * 5))
    assert -0.5 < found.low < found.estimate < found.high < 0.2


@settings(max_examples=50, deadline=None)
@given(SAMPLES)
def test_swapping_the_sides_mirrors_it(sample: Values) -> None:
    forth, back = interval(sample), interval(-sample)
    assert (back.low, back.high) == pytest.approx((-forth.high, -forth.low), abs=1e-9)


@settings(max_examples=50, deadline=None)
@given(SAMPLES)
def test_the_order_of_items_changes_nothing(sample: Values) -> None:
    shuffled = np.random.default_rng(1).permutation(sample)
    assert interval(shuffled) == interval(sample)
    assert (studentised_roots(shuffled, 200) == studentised_roots(sample, 200)).all()


@settings(max_examples=50, deadline=None)
@given(SAMPLES)
def test_p_and_interval_agree(sample: Values) -> None:
    found = interval(sample)
    step = 0.01 * (found.high - found.low) + 1e-6
    assert p_mean_below(sample, found.high + step) < 0.025 + 1e-9 or found.method is Method.CONSTANT
    assert p_mean_below(sample, found.high - step) > 0.025 - 1e-9


@pytest.mark.parametrize("confidence", [0.0, 1.0, 95.0])
def test_a_confidence_is_a_share(confidence: float) -> None:
    with pytest.raises(ValueError, match="between 0 and 1"):
        mean_interval(gauss(10), confidence)
