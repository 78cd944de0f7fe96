"""Arrays of numbers as the statistics take them: float64, finite, items along the last axis."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

Values = npt.NDArray[np.float64]

_ROUNDING = 1e-12
"""As a share of the larger number: by how much two computations of one value may differ."""


def finite(values: npt.ArrayLike) -> Values:
    """Return ``values`` as float64. Raises `ValueError` if one is NaN or infinite: callers leave out what was not
    measured."""
    array = np.asarray(values, np.float64)
    if not np.isfinite(array).all():
        raise ValueError("statistics take finite numbers only")
    return array


def differences(candidate: npt.ArrayLike, baseline: npt.ArrayLike) -> Values:
    """Return ``candidate - baseline``, same shape. A difference within rounding is 0, so that equal clips are equal."""
    ours, theirs = finite(candidate), finite(baseline)
    difference = ours - theirs
    difference[np.abs(difference) <= _ROUNDING * np.maximum(np.abs(ours), np.abs(theirs))] = 0.0
    return difference


def is_constant(values: Values) -> npt.NDArray[np.bool_]:
    """Return whether all items are equal, shape (...,) for values of shape (..., n). Then nothing is known of the
    spread."""
    lowest, highest = values.min(axis=-1), values.max(axis=-1)
    return np.asarray(highest - lowest <= _ROUNDING * np.maximum(np.abs(lowest), np.abs(highest)))
