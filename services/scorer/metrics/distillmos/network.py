"""The network of DistillMOS (B. Stahl and H. Gamper, arXiv:2502.05356), for inference.

Owns the layers and the windows. Six convolutions over a compressed complex spectrum of 20 ms frames are followed by a
transformer and a pooling by attention. A window is 7.68 s. The network, the way from a clip to windows, and the names
of submodules are those of the package distillmos 0.9.1 (Microsoft, MIT), whose weights have these names; the
transformer's are from the package xls-r-sqa (MIT). Neither package is used: both import torchaudio, and for inference
this is all of them. Knows no files.
"""

from __future__ import annotations

import math
from itertools import pairwise

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

WINDOW = 122_880
"""Samples of a window at 16 kHz, 7.68 s."""
LONGEST_STEP = 16_000
"""Samples from one window to the next, at most."""
_FFT, _HOP = 320, 160
_EXPONENT = 0.3
"""Magnitudes are raised to it, and phases kept."""
_CHANNELS = (2, 64, 64, 128, 256, 256, 256)
_BANDS_LEFT = 4
"""Of 161, after the convolutions."""
_WIDTH = 200
_FRAMES = 384
_LAYERS, _HEADS = 7, 8
_AT_ONCE = 2
"""Windows that go through the network together. This limits memory on long clips."""


def windows_of(samples: Tensor) -> list[Tensor]:
    """Return the windows of a clip of shape (n,), evenly spaced from its first sample to its last.

    A clip that is shorter than a window is continued with zeros.
    """
    over = len(samples) - WINDOW
    if over <= 0:
        return [F.pad(samples, (0, -over))]
    starts = np.linspace(0, 1, math.ceil(over / LONGEST_STEP) + 1) * over
    return [samples[start : start + WINDOW] for start in starts.astype(int)]


class SpectrumConvolutions(nn.Module):
    """(windows, samples) to (windows, features, frames): every other frame of 10 ms."""

    def __init__(self) -> None:
        super().__init__()
        layers: list[nn.Module] = []
        last = len(_CHANNELS) - 2
        for layer, (before, after) in enumerate(pairwise(_CHANNELS)):
            stride = (1 if layer == 0 else 2, 2 if layer == last else 1)
            layers += [nn.Conv2d(before, after, 3, stride=stride, padding=(0, 1)), nn.LeakyReLU(0.1)]
        self.cnn = nn.Sequential(*layers)
        self.register_buffer("hann", torch.hann_window(_FFT), persistent=False)

    def forward(self, windows: Tensor) -> Tensor:
        return self.cnn(self._compressed(windows)).flatten(1, 2)  # type: ignore[no-any-return]

    def _compressed(self, windows: Tensor) -> Tensor:
        """Return real and imaginary parts, shape (windows, 2, 161, frames)."""
        edge = (_FFT - _HOP) // 2
        padded = F.pad(windows, (edge, edge), mode="reflect")
        window = self.get_buffer("hann")
        spectrum = torch.view_as_real(torch.stft(padded, _FFT, _HOP, window=window, center=False, return_complex=True))
        magnitude = spectrum.square().sum(dim=-1, keepdim=True).sqrt().clip(1e-12)
        return (magnitude**_EXPONENT * spectrum / magnitude).permute(0, 3, 1, 2)


class Positions(nn.Module):
    """Adds the position of each frame, which comes with the weights."""

    def __init__(self) -> None:
        super().__init__()
        self.register_buffer("pe", torch.empty(1, _FRAMES, _WIDTH))

    def forward(self, x: Tensor) -> Tensor:
        return x + self.get_buffer("pe")


class Transformer(nn.Module):
    """(windows, frames, features) to (windows, frames, 200)."""

    def __init__(self) -> None:
        super().__init__()
        features = _CHANNELS[-1] * _BANDS_LEFT
        self.norm = nn.BatchNorm1d(features)
        self.linear_proj = nn.Linear(features, _WIDTH)
        self.position_encoding = Positions()
        layer = nn.TransformerEncoderLayer(_WIDTH, _HEADS, 2 * _WIDTH, dropout=0.0, batch_first=True)
        self.transformer_encoder = nn.TransformerEncoder(layer, _LAYERS)

    def forward(self, x: Tensor) -> Tensor:
        x = self.linear_proj(_over_features(self.norm, x))
        return self.transformer_encoder(self.position_encoding(x))  # type: ignore[no-any-return]


class FramePool(nn.Module):
    """(windows, frames, 200) to one value a window. Each frame is weighted by its content."""

    def __init__(self) -> None:
        super().__init__()
        self.linear1 = nn.Linear(_WIDTH, 2 * _WIDTH)
        self.linear2 = nn.Linear(2 * _WIDTH, 1)
        self.linear3 = nn.Linear(_WIDTH, 1)

    def forward(self, x: Tensor) -> Tensor:
        weights = F.softmax(self.linear2(F.relu(self.linear1(x))), dim=1)
        return self.linear3((weights * x).sum(dim=1)).squeeze(1)  # type: ignore[no-any-return]


class QualityHead(nn.Module):
    """(windows, frames, features) to a quality from 0 to 1 for each window."""

    def __init__(self) -> None:
        super().__init__()
        self.norm_input = nn.BatchNorm1d(_CHANNELS[-1] * _BANDS_LEFT)
        self.transformer = Transformer()
        self.norm_trans = nn.BatchNorm1d(_WIDTH)
        self.pool = FramePool()

    def forward(self, x: Tensor) -> Tensor:
        x = self.transformer(_over_features(self.norm_input, x))
        return torch.sigmoid(self.pool(_over_features(self.norm_trans, x)))


class DistillMos(nn.Module):
    """A clip at 16 kHz, shape (n,), to its MOS. Raises `RuntimeError` if a weight is missing or left over."""

    def __init__(self, state: dict[str, Tensor]) -> None:
        super().__init__()
        self.cnn = SpectrumConvolutions()
        self.transformer_pool_attn = QualityHead()
        self.load_state_dict(state)
        self.eval()

    def forward(self, samples: Tensor) -> Tensor:
        parts = torch.split(torch.stack(windows_of(samples)), _AT_ONCE)
        return 1 + 4 * torch.cat([self._qualities(part) for part in parts]).mean()

    def _qualities(self, windows: Tensor) -> Tensor:
        loudest = windows.abs().amax(dim=1, keepdim=True)
        features: Tensor = self.cnn(windows / (loudest + 1e-8))
        return self.transformer_pool_attn(features.transpose(1, 2))  # type: ignore[no-any-return]


def _over_features(norm: nn.BatchNorm1d, x: Tensor) -> Tensor:
    return norm(x.transpose(1, 2)).transpose(1, 2)  # type: ignore[no-any-return]
