"""What goes into the statistics: finite numbers, and differences that rounding does not make."""

from __future__ import annotations

import math

import numpy as np
import pytest

from services.scorer.analysis.statistics.values import differences, finite, is_constant


@pytest.mark.parametrize("wrong", [math.nan, math.inf, -math.inf])
def test_what_is_no_number_is_refused(wrong: float) -> None:
    with pytest.raises(ValueError, match="finite"):
        finite([1.0, wrong])


def test_what_differs_by_rounding_does_not_differ() -> None:
    assert differences([0.1 + 0.2, 3.0], [0.3, 2.0]).tolist() == [0.0, 1.0]


def test_a_constant_sample_is_known_in_spite_of_rounding() -> None:
    assert is_constant(np.array([[0.3, 0.1 + 0.2], [0.3, 0.31]])).tolist() == [True, False]
