"""Items that would settle it: the smallest number that does, and honest where none does."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from services.scorer.analysis.statistics.noise import SeedNoise
from services.scorer.analysis.statistics.planning import MOST_ITEMS, items_needed
from services.scorer.analysis.statistics.rules import Demand, Doubt, Rule, Scale, judge
from services.scorer.analysis.statistics.values import Values
from shared.scores import Direction
from tests.scorer.statistics.samples import gauss, pairs_of, signs


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


@pytest.mark.parametrize("margin", [0.05, 0.1])
def test_agreement_on_every_item_is_settled_by_as_many_items_as_pass(margin: float) -> None:
    """Yes and no that never differ spread nothing, and their interval narrows with every item all the same."""
    rule = Rule(Direction.HIGHER, Demand.NOT_WORSE, margin)
    few = judge(rule, pairs_of([1.0] * 20, [1.0] * 20), binary=True)
    needed = few.items_needed
    assert few.doubt is Doubt.INTERVAL_STRADDLES
    assert needed is not None
    assert judge(rule, pairs_of([1.0] * needed, [1.0] * needed), binary=True).doubt is None
    assert judge(rule, pairs_of([1.0] * (needed - 1), [1.0] * (needed - 1)), binary=True).doubt is not None


@pytest.mark.parametrize("sample", [signs(1, 0, 20), signs(2, 1, 30), signs(0, 2, 35)])
def test_of_yes_and_no_the_interval_of_so_many_items_is_what_settles(sample: Values) -> None:
    needed = items_needed(sample, -0.1, seeds=1)
    assert needed is not None
    more = np.tile(sample, -(-needed // len(sample)))
    baseline, candidate = np.clip(-more, 0, 1), np.clip(more, 0, 1)
    rule = Rule(Direction.HIGHER, Demand.NOT_WORSE, 0.1)
    assert judge(rule, pairs_of(list(baseline), list(candidate)), binary=True).doubt is None


def test_several_seeds_that_agree_everywhere_can_be_settled_too() -> None:
    assert (items_needed(np.zeros(12), -0.05, seeds=3) or 0) > 12


def test_a_margin_in_noise_floors_shrinks_with_the_suite() -> None:
    """The floor of more items is narrower: what is too noisy for one floor stays so, however many items there are."""
    gains = gauss(35, 0.0, 0.5)
    gains -= gains.mean()
    floor = SeedNoise(sigma=0.2, freedom=140, items=35)
    rule = Rule(Direction.HIGHER, Demand.NOT_WORSE, 1, Scale.NOISE_FLOORS)
    verdict = judge(rule, pairs_of([3.0] * 35, list(3.0 + gains)), floor=floor)
    assert verdict.doubt is Doubt.INTERVAL_STRADDLES
    assert items_needed(gains, -floor.run_to_run) is not None  # were it a margin that stays as it is
    assert verdict.items_needed is None
