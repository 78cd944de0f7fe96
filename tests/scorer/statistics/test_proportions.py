"""Yes and no: Tango's interval against the likelihood, McNemar against statsmodels, seeds never pooled."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats
from scipy.optimize import minimize_scalar
from statsmodels.stats.contingency_tables import mcnemar

from services.scorer.analysis.statistics.intervals import Interval, Method
from services.scorer.analysis.statistics.proportions import mcnemar_p, p_proportion_below, proportion_interval
from services.scorer.analysis.statistics.values import Values
from tests.scorer.statistics.samples import signs

TABLES = [(12, 2, 50), (1, 7, 21), (0, 3, 10), (5, 5, 12), (40, 20, 160)]
"""Items won, items lost, items."""


def interval(sample: Values, seeds: float = 1) -> Interval:
    found = proportion_interval(sample, seeds)
    assert found is not None
    return found


def score_z(wins: int, losses: int, n: int, value: float) -> float:
    """The score statistic by its definition: the nuisance found by maximising the likelihood numerically."""

    def unlikely(loss: float) -> float:
        shares = np.array([loss + value, loss, 1 - 2 * loss - value])
        return -float(np.dot([wins, losses, n - wins - losses], np.log(shares)))

    bounds = (max(0.0, -value) + 1e-12, (1 - value) / 2 - 1e-12)
    loss = minimize_scalar(unlikely, bounds=bounds, method="bounded", options={"xatol": 1e-12}).x
    return float((wins - losses - n * value) / np.sqrt(n * (2 * loss + value - value**2)))


@pytest.mark.parametrize(("wins", "losses", "n"), TABLES)
def test_at_one_seed_the_ends_are_where_the_score_test_turns(wins: int, losses: int, n: int) -> None:
    found = interval(signs(wins, losses, n))
    assert score_z(wins, losses, n, found.low) == pytest.approx(stats.norm.ppf(0.975), rel=1e-4)
    assert score_z(wins, losses, n, found.high) == pytest.approx(stats.norm.ppf(0.025), rel=1e-4)
    assert found.method is Method.TANGO


def test_agreement_on_every_item_is_not_certainty() -> None:
    z2 = stats.norm.ppf(0.975) ** 2
    found = interval(signs(0, 0, 10))
    assert (found.low, found.high) == pytest.approx((-z2 / (10 + z2), z2 / (10 + z2)))


def test_nor_is_it_at_several_seeds() -> None:
    reach = stats.t.ppf(0.975, 9) * np.sqrt((2 / 5) / 12 / 12)  # of the two items added alone
    found = interval(signs(0, 0, 10), seeds=5)
    assert (found.low, found.high) == pytest.approx((-reach, reach))
    assert p_proportion_below(signs(0, 0, 10), reach, 5) == pytest.approx(0.025)
    assert p_proportion_below(signs(0, 0, 10), 1.0, 5) < 0.5**10


@pytest.mark.parametrize(("wins", "losses", "n"), [*TABLES, (0, 0, 10)])
def test_mcnemar_is_that_of_statsmodels(wins: int, losses: int, n: int) -> None:
    expected = mcnemar([[0, wins], [losses, n - wins - losses]], exact=True).pvalue if wins + losses else 1.0
    assert mcnemar_p(signs(wins, losses, n)) == pytest.approx(expected, rel=1e-12)


def test_mcnemar_refuses_several_seeds() -> None:
    with pytest.raises(ValueError, match="more than one seed"):
        mcnemar_p(np.array([0.4, 0.0, -0.2]))


def test_one_seed_refuses_shares_of_several() -> None:
    with pytest.raises(ValueError, match="more than one seed"):
        proportion_interval(np.array([0.4, 0.0]), 1)


def test_what_no_share_gives_is_refused() -> None:
    with pytest.raises(ValueError, match="between -1 and 1"):
        proportion_interval(np.array([1.5, 0.0]), 2)


@pytest.mark.parametrize(("n", "seeds"), [(0, 1), (0, 5), (1, 5)])
def test_with_too_little_there_is_none(n: int, seeds: float) -> None:
    assert proportion_interval(np.zeros(n), seeds) is None


def test_with_seeds_it_is_never_shorter_than_t() -> None:
    sample = np.array([0.2, 0.4, 0.0, -0.2, 0.6, 0.0, 0.2, 0.4, 0.2, 0.0])
    t = stats.ttest_1samp(sample, 0).confidence_interval(0.95)
    found = interval(sample, seeds=5)
    assert found.low < t.low
    assert found.high > t.high
    assert found.method is Method.PSEUDO_ITEMS


COUNTS = st.tuples(st.integers(0, 8), st.integers(0, 8), st.integers(0, 8)).filter(lambda c: sum(c) >= 2)


@settings(max_examples=50, deadline=None)
@given(COUNTS, st.sampled_from([1.0, 3.0, 4.5]))
def test_swapping_the_sides_mirrors_it(counts: tuple[int, int, int], seeds: float) -> None:
    sample = signs(counts[0], counts[1], sum(counts))
    forth, back = interval(sample, seeds), interval(-sample, seeds)
    assert -1 <= forth.low <= forth.estimate <= forth.high <= 1
    assert (back.low, back.high) == pytest.approx((-forth.high, -forth.low), abs=1e-9)


@settings(max_examples=50, deadline=None)
@given(COUNTS, st.sampled_from([1.0, 3.0]))
def test_p_and_interval_agree(counts: tuple[int, int, int], seeds: float) -> None:
    sample = signs(counts[0], counts[1], sum(counts))
    high = interval(sample, seeds).high
    if high < 0.999:
        assert p_proportion_below(sample, high + 1e-6, seeds) < 0.025
        assert p_proportion_below(sample, high - 1e-6, seeds) > 0.025
