"""Arrays of numbers as the statistics take them: float64, finite, items along the last axis."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

Values = npt.NDArray[np.float64]

_ROUNDING = 1e-12
"""Of the larger number: what two computations of one value may differ by."""


def finite(values: npt.ArrayLike) -> Values:
    """``values`` as float64; `ValueError` where one is NaN or infinite: what was not measured is left out."""
    array = np.asarray(values, np.float64)
    if not np.isfinite(array).all():
        raise ValueError("statistics take finite numbers only")
    return array


def differences(candidate: npt.ArrayLike, baseline: npt.ArrayLike) -> Values:
    """``candidate - baseline``, same shape; what is within rounding is 0, so that equal clips are equal."""
    ours, theirs = finite(candidate), finite(baseline)
    difference = ours - theirs
    difference[np.abs(difference) <= _ROUNDING * np.maximum(np.abs(ours), np.abs(theirs))] = 0.0
    return difference


def is_constant(values: Values) -> npt.NDArray[np.bool_]:
    """Whether all items say the same, shape (...,) for values of shape (..., n): nothing can be learnt of a spread."""
    lowest, highest = values.min(axis=-1), values.max(axis=-1)
    return np.asarray(highest - lowest <= _ROUNDING * np.maximum(np.abs(lowest), np.abs(highest)))
