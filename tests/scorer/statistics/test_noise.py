"""The noise floor: by its formula, zero where the seed does nothing, and as wide as it says."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from services.scorer.analysis.statistics.noise import noise_floor


def test_it_is_what_its_formula_says() -> None:
    floor = noise_floor({"a": [1.0, 3.0], "b": [5.0, 5.0, 8.0], "c": [4.0]})
    assert floor is not None
    sigma = np.sqrt((2 + 6) / 3)
    assert (floor.sigma, floor.freedom, floor.items) == (pytest.approx(sigma), 3, 2)
    t = stats.t.ppf(0.975, 3)
    assert floor.run_to_run == pytest.approx(t * sigma * np.sqrt(2 / 2))
    assert floor.item_band(5) == pytest.approx(t * sigma * np.sqrt(2 / 5))


def test_an_engine_that_ignores_its_seed_has_a_floor_of_exactly_zero() -> None:
    floor = noise_floor({"a": [0.1, 0.1, 0.1], "b": [0.7, 0.7, 0.7]})
    assert floor is not None
    assert floor.is_zero
    assert floor.run_to_run == 0


@pytest.mark.parametrize("scores", [{}, {"a": [1.0], "b": []}])
def test_without_a_second_seed_there_is_none(scores: dict[str, list[float]]) -> None:
    assert noise_floor(scores) is None


def test_two_runs_of_the_same_pin_differ_by_less_in_19_of_20() -> None:
    random = np.random.default_rng(4)
    items = random.normal(3.6, 0.5, 35)
    floor = noise_floor({str(i): random.normal(item, 0.2, 5).tolist() for i, item in enumerate(items)})
    assert floor is not None
    runs = random.normal(items, 0.2, (4000, 2, 35)).mean(axis=-1)
    within = np.mean(np.abs(runs[:, 0] - runs[:, 1]) < floor.run_to_run)
    assert within == pytest.approx(0.95, abs=0.02)
