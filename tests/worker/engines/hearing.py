"""What can be heard of a clip, measured: pitch, level."""

from __future__ import annotations

import math
from functools import cache
from importlib.machinery import ExtensionFileLoader
from importlib.util import find_spec, module_from_spec, spec_from_file_location
from pathlib import Path
from types import ModuleType

import numpy as np
import numpy.typing as npt

from shared.audio import Audio


def samples(audio: Audio) -> npt.NDArray[np.float64]:
    """In [-1, 1], shape (n,)."""
    return np.frombuffer(audio.pcm, dtype="<i2").astype(np.float64) / 32768


def pitch_hz(audio: Audio) -> float:
    """Median F0 over voiced frames (WORLD: DIO and StoneMask), 40-1000 Hz."""
    heard = samples(audio)
    rough, times = _world().dio(heard, audio.sample_rate, f0_floor=40.0, f0_ceil=1000.0)
    f0 = _world().stonemask(heard, rough, times, audio.sample_rate)
    return float(np.median(f0[f0 > 0]))


def level_db(audio: Audio) -> float:
    """RMS in dB of full scale."""
    return 20 * math.log10(float(np.sqrt(np.mean(samples(audio) ** 2))))


@cache
def _world() -> ModuleType:
    """The compiled part of pyworld. Its package asks pkg_resources for a version, which setuptools no longer brings."""
    package = find_spec("pyworld")
    assert package is not None
    assert package.origin is not None
    path = next(Path(package.origin).parent.glob("pyworld.*.so"))
    loader = ExtensionFileLoader("pyworld.pyworld", str(path))
    spec = spec_from_file_location("pyworld.pyworld", path, loader=loader)
    assert spec is not None
    module = module_from_spec(spec)
    loader.exec_module(module)
    return module
