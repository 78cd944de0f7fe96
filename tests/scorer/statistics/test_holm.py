"""Many tests at once: Holm's correction is that of statsmodels."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from statsmodels.stats.multitest import multipletests

from services.scorer.analysis.statistics.families import holm


@pytest.mark.parametrize("p", [[0.03], [0.01, 0.04, 0.03, 0.005], [0.02] * 4, np.linspace(0, 1, 12)[::-1].tolist()])
def test_it_is_that_of_statsmodels(p: list[float]) -> None:
    assert holm(p) == pytest.approx(multipletests(p, method="holm")[1], rel=1e-12)


@settings(max_examples=50, deadline=None)
@given(st.lists(st.floats(0, 1), min_size=1, max_size=20))
def test_the_order_of_tests_changes_nothing(p: list[float]) -> None:
    assert holm(p[::-1]) == holm(p)[::-1]


def test_of_no_test_there_is_nothing() -> None:
    assert holm([]) == ()


@pytest.mark.parametrize("wrong", [np.nan, -0.1, 1.1])
def test_what_is_no_probability_is_refused(wrong: float) -> None:
    with pytest.raises(ValueError, match=r"finite|between 0 and 1"):
        holm([0.5, wrong])
