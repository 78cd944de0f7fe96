"""Resemblyzer's speaker encoder: what a stretch of speech says about the speaker, as 256 numbers.

Owns the layers (GE2E: L. Wan et al., ICASSP 2018, arXiv:1710.10467) and the way from samples to windows of a mel
spectrogram, as in the package resemblyzer 0.1.4. The package itself is not imported: it needs a compiled speech
detector that can no longer be imported, and a backport that shadows ``typing``. The names of submodules are those in
the published weights. Knows no clip and no reference.
"""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn

from services.scorer.metrics.base import Samples
from services.scorer.metrics.spectra import magnitudes, mel_filters

RATE = 16_000
LEAST_DBFS = -30.0
"""Quieter speech is raised to this level. Louder speech stays as it is."""

_FFT_SIZE, _HOP, _BANDS, _TOP_HZ = 400, 160, 40, 8_000.0
_WINDOW = 160
"""Frames of 10 ms per window."""
_STEP = 77
"""Frames from one window to the next: 1.3 windows a second."""
_LEAST_COVERAGE = 0.75
"""A last window that is filled less than this is left out, unless it is the only one."""
_AT_ONCE = 64
"""Windows that go through the network together. This limits memory on long clips."""

Vector = npt.NDArray[np.float32]


class VoiceEncoder(nn.Module):
    """Maps (windows, 160, 40) to (windows, 256), each vector of length 1. ``state``: all of the published weights."""

    def __init__(self, state: dict[str, Tensor]) -> None:
        super().__init__()
        self.lstm = nn.LSTM(_BANDS, 256, num_layers=3, batch_first=True)
        self.linear = nn.Linear(256, 256)
        # Only training used these two numbers.
        self.load_state_dict({name: value for name, value in state.items() if not name.startswith("similarity_")})
        self.eval()

    def forward(self, windows: Tensor) -> Tensor:
        last = self.lstm(windows)[1][0][-1]
        return nn.functional.normalize(torch.relu(self.linear(last)), dim=1)

    @torch.inference_mode()
    def embed(self, samples: Samples) -> Vector:
        """Return the mean vector over all windows of speech at 16 kHz, shape (256,), without negative components."""
        windows = torch.from_numpy(_windows(_raised(samples)))
        return torch.cat([self(part) for part in torch.split(windows, _AT_ONCE)]).mean(0).numpy()


def _raised(samples: Samples) -> Samples:
    level = math.sqrt(float(np.mean(np.square(samples, dtype=np.float64))))
    gain = 10 ** (LEAST_DBFS / 20) / level if level else 1.0
    return samples * np.float32(max(1.0, gain))


def _windows(samples: Samples) -> npt.NDArray[np.float32]:
    """Return windows of the mel spectrogram, shape (windows, 160, 40). The last one is padded with silence."""
    starts = _starts(len(samples))
    missing = max(0, (starts[-1] + _WINDOW) * _HOP - len(samples))
    spectra = magnitudes(
        np.pad(samples, (0, missing)), fft_size=_FFT_SIZE, window=_FFT_SIZE, hop=_HOP, padding="constant"
    )
    mel = spectra**2 @ mel_filters(RATE, _FFT_SIZE, _BANDS, _TOP_HZ).T
    return np.stack([mel[start : start + _WINDOW] for start in starts])


def _starts(count: int) -> list[int]:
    """Return the first frame of each window over ``count`` samples."""
    frames = math.ceil((count + 1) / _HOP)
    starts = list(range(0, max(1, frames - _WINDOW + _STEP + 1), _STEP))
    covered = (count / _HOP - starts[-1]) / _WINDOW
    return starts[:-1] if covered < _LEAST_COVERAGE and len(starts) > 1 else starts
