"""Sign flips by item: exact against scipy, drawn against exact, and never a p of zero."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from scipy import stats

from services.scorer.analysis.statistics.permutation import Tail, sign_flip_p
from services.scorer.analysis.statistics.proportions import mcnemar_p
from services.scorer.analysis.statistics.values import Values
from tests.scorer.statistics.samples import SAMPLES, gauss, signs

SIDES = [(Tail.EITHER, "two-sided"), (Tail.GREATER, "greater"), (Tail.LESS, "less")]


@pytest.mark.parametrize(("side", "alternative"), SIDES)
@pytest.mark.parametrize("n", [2, 7, 12])
def test_exact_is_that_of_scipy(n: int, side: Tail, alternative: str) -> None:
    sample = np.round(gauss(n, 0.4), 1)
    expected = stats.permutation_test(
        (sample,), np.mean, permutation_type="samples", alternative=alternative, n_resamples=2**n
    )
    assert sign_flip_p(sample, side) == pytest.approx(expected.pvalue, rel=1e-12)


@pytest.mark.parametrize("side", Tail)
def test_drawn_is_near_the_t_test_where_differences_are_normal(side: Tail) -> None:
    sample = gauss(40, 0.25)
    alternative = dict(SIDES)[side]
    assert sign_flip_p(sample, side) == pytest.approx(
        stats.ttest_1samp(sample, 0, alternative=alternative).pvalue, abs=0.02
    )


@pytest.mark.parametrize(("wins", "losses"), [(9, 2), (14, 1), (3, 3)])
def test_of_yes_and_no_it_is_mcnemar(wins: int, losses: int) -> None:
    sample = signs(wins, losses, 40)
    assert sign_flip_p(sample) == pytest.approx(mcnemar_p(sample), rel=1e-12)


def test_p_is_never_zero() -> None:
    assert sign_flip_p(np.ones(60)) == pytest.approx(1 / 10_001)


@pytest.mark.parametrize("sample", [np.array([]), np.zeros(5)], ids=["no item", "no difference"])
def test_without_a_difference_p_is_one(sample: Values) -> None:
    assert sign_flip_p(sample) == 1.0


@settings(max_examples=30, deadline=None)
@given(SAMPLES)
def test_neither_order_nor_side_matters(sample: Values) -> None:
    shuffled = np.random.default_rng(1).permutation(sample)
    assert sign_flip_p(shuffled) == sign_flip_p(sample) == sign_flip_p(-sample)
    assert sign_flip_p(shuffled, Tail.GREATER) == sign_flip_p(-sample, Tail.LESS)
