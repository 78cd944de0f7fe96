"""WORLD's F0 estimators (DIO, StoneMask) as pyworld compiles them.

Does not know what the F0 is used for.
"""

from __future__ import annotations

from importlib.machinery import ExtensionFileLoader, PathFinder
from importlib.util import find_spec, module_from_spec
from typing import Any

import numpy as np
import numpy.typing as npt

Values = npt.NDArray[np.float64]


def f0(
    compiled: Any, samples: Values, rate: int, range_hz: tuple[float, float], frame_ms: float
) -> tuple[Values, Values]:
    """Return the F0 in Hz (0 where unvoiced) and the time in seconds of each frame.

    DIO estimates it, StoneMask refines it (Morise 2009, 2016). ``compiled`` is the module that `world` returns.
    """
    low, high = range_hz
    rough, times = compiled.dio(samples, rate, f0_floor=low, f0_ceil=high, frame_period=frame_ms)
    return compiled.stonemask(samples, rough, times, rate), times


def world() -> Any:
    """Return the compiled extension module of pyworld.

    The package around it cannot be imported: it asks pkg_resources, which setuptools no longer has, for a version
    number.
    Raises ``FileNotFoundError`` if pyworld is not installed.
    """
    package = find_spec("pyworld")
    spec = package and PathFinder.find_spec("pyworld", package.submodule_search_locations)
    if spec is None or not isinstance(spec.loader, ExtensionFileLoader):
        raise FileNotFoundError("pyworld is not installed")
    module = module_from_spec(spec)
    spec.loader.exec_module(module)
    return module
