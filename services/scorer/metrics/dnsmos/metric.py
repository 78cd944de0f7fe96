"""The family ``dnsmos``: predicted MOS. Speech, background and overall quality (P.835), overall quality (P.808).

Owns the windows, the mapping of raw grades to MOS and the mel spectrogram of the P.808 model. For clips up to 16 s the
values equal those of the package speechmos, whose models it runs (`window_count` says why not for longer ones), with
a limit on threads and in a fraction of its time (windows.py).

A clip shorter than 9.01 s is repeated until it is long enough, as the authors do. So the silence at the end of a short
clip comes to be in the middle and looks like a clean background: one second of it changes the overall, signal and
P.808 values by up to 0.5 and the background value by up to 1.5. Between 22.05 and 48 kHz the values agree within 0.1,
at 16 kHz within 0.3 (tests/scorer/metrics/test_invariance.py).
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from services.scorer.metrics.base import MeasuredClip, Reading, Samples
from services.scorer.metrics.dnsmos.windows import RATE, STEP_SAMPLES, WINDOW_SAMPLES, WindowedGrades
from services.scorer.metrics.instruments import Instruments, package_folder
from services.scorer.metrics.locks import file_sha256, scorer_lock
from services.scorer.metrics.spectra import magnitudes, mel_filters
from shared import metrics

_TO_MOS = {
    "sig": (-0.08397278, 1.22083953, 0.0052439),
    "bak": (-0.13166888, 1.60915514, -0.39604546),
    "ovrl": (-0.06766283, 1.11546468, 0.04602535),
}
"""Published polynomials from raw grade to MOS, highest power first, in the order of the network's outputs."""

_P808_BANDS, _P808_FFT, _P808_HOP = 120, 321, 160


class Dnsmos:
    """The family ``dnsmos``."""

    info = metrics.DNSMOS

    def __init__(self, instruments: Instruments) -> None:
        self._instruments = instruments
        self._folder = package_folder("speechmos") / "dnsmos_models"
        self._windowed: WindowedGrades | None = None
        self._p808: Any = None

    def lock(self) -> Mapping[str, Any]:
        return scorer_lock(
            "dnsmos",
            revision=2,
            weights={name: file_sha256(self._folder / name) for name in ("sig_bak_ovr.onnx", "model_v8.onnx")},
            packages=("onnxruntime", "torch", "soxr", "numpy"),
        )

    def load(self) -> None:
        self._windowed = WindowedGrades(self._folder / "sig_bak_ovr.onnx", self._instruments.onnx)
        self._p808 = self._instruments.onnx(self._folder / "model_v8.onnx")

    def measure(self, clip: MeasuredClip) -> Mapping[str, Reading]:
        assert self._windowed is not None, "load comes first"
        samples = repeated(clip.at_16k)
        windows = window_count(len(clip.at_16k))
        raw = np.array(list(self._windowed.grades(samples, windows)), np.float64)
        values = {
            name: np.mean(np.polyval(powers, raw[:, column])) for column, (name, powers) in enumerate(_TO_MOS.items())
        }
        values["p808"] = np.mean([self._p808_mos(samples, index * STEP_SAMPLES) for index in range(windows)])
        return {f"mos/dnsmos_{name}": float(value) for name, value in values.items()}

    def _p808_mos(self, samples: Samples, start: int) -> float:
        window = samples[start : start + WINDOW_SAMPLES - _P808_HOP]
        (grades,) = self._p808.run(None, {"input_1": p808_features(window)[None]})
        return float(grades[0, 0])


def repeated(samples: Samples) -> Samples:
    """Return ``samples``, doubled until they fill a window. They must not be empty."""
    doublings = max(0, math.ceil(math.log2(WINDOW_SAMPLES / len(samples))))
    return np.tile(samples, 2**doublings)


def window_count(samples: int) -> int:
    """Return how many windows of a clip of ``samples`` samples count.

    The authors' loop drops windows 7 to 23, because in floating point (7 + 9.01) * 16000 is slightly below a whole
    number. A repeated clip loses nothing by that and is graded as they grade it. In a long clip it would ignore
    everything after the 16th second, so there every window counts.
    """
    doublings = max(0, math.ceil(math.log2(WINDOW_SAMPLES / samples)))
    windows = max(1, (samples << doublings) // RATE - WINDOW_SAMPLES // RATE)
    return min(windows, 7) if doublings else windows


def p808_features(samples: Samples) -> npt.NDArray[np.float32]:
    """Return the mel spectrogram in dB below its peak, scaled as the P.808 model was trained, shape (900, 120)."""
    spectra = magnitudes(samples, fft_size=_P808_FFT, window=_P808_FFT, hop=_P808_HOP, padding="constant")
    mel = spectra**2 @ mel_filters(RATE, _P808_FFT, _P808_BANDS, RATE / 2).T
    level = 10 * np.log10(np.maximum(mel, 1e-10))
    level -= level.max()
    return np.asarray((np.maximum(level, -80) + 40) / 40, np.float32)
