"""The networks of NISQA-TTS (Mittag and Möller, 2020) and NISQA 2.0 (Mittag et al., 2021), for inference.

Owns the layers. Both apply six convolutions to windows of 15 frames of a mel spectrogram. NISQA-TTS then runs a
bidirectional LSTM over the windows and takes its two last states; NISQA 2.0 attends over them twice and pools by
attention once per dimension. The names of submodules are those in the published weights. Knows no audio.
"""

from __future__ import annotations

from collections.abc import Callable

import torch
import torch.nn.functional as F
from torch import Tensor, nn

WINDOW = 15
"""Frames in a window."""
_CHANNELS = (1, 16, 32, 64, 64, 64, 64)
_AT_ONCE = 256
"""Windows that go through the convolutions together. This limits memory on long clips."""


class NisqaConvolutions(nn.Module):
    """Six convolutions, (windows, 1, 48, 15) to (windows, features).

    ``pools``: a pooling by the index of the layer that it follows.
    """

    def __init__(self, pools: dict[int, Callable[[Tensor], Tensor]], *, narrow_last: bool) -> None:
        super().__init__()
        self._pools = pools
        for layer in range(1, 7):
            padding = (1, 0) if narrow_last and layer == 6 else (1, 1)
            self.add_module(f"conv{layer}", nn.Conv2d(_CHANNELS[layer - 1], _CHANNELS[layer], 3, padding=padding))
            self.add_module(f"bn{layer}", nn.BatchNorm2d(_CHANNELS[layer]))

    def forward(self, windows: Tensor) -> Tensor:
        x = windows
        for layer in range(1, 7):
            x = F.relu(self.get_submodule(f"bn{layer}")(self.get_submodule(f"conv{layer}")(x)))
            x = self._pools[layer](x) if layer in self._pools else x
        return x.flatten(1)


def _in_parts(convolutions: Callable[[Tensor], Tensor], windows: Tensor) -> Tensor:
    return torch.cat([convolutions(part) for part in torch.split(windows, _AT_ONCE)])


class TtsNetwork(nn.Module):
    """NISQA-TTS: (windows, 1, 48, 15) to one MOS."""

    def __init__(self, state: dict[str, Tensor]) -> None:
        super().__init__()
        pools: dict[int, Callable[[Tensor], Tensor]] = {
            1: lambda x: F.max_pool2d(x, 2, padding=(0, 1)),
            2: lambda x: F.max_pool2d(x, 2),
            4: lambda x: F.max_pool2d(x, 2),
        }
        self.convolutions = NisqaConvolutions(pools, narrow_last=False)
        self.convolutions.add_module("fc_out", nn.Linear(64 * 6 * 2, 20))
        self.lstm = nn.LSTM(20, 128, batch_first=True, bidirectional=True)
        self.linear = nn.Linear(256, 1)
        _fill(self.convolutions, state, "cnn.model.")
        _fill(self.lstm, state, "time_dependency.model.lstm.")
        _fill(self.linear, state, "pool.model.linear.")
        self.eval()

    def forward(self, windows: Tensor) -> Tensor:
        features = self.convolutions.get_submodule("fc_out")(_in_parts(self.convolutions, windows))
        states = self.lstm(features[None])[0][0]
        forward_last, backward_last = states[-1, :128], states[0, 128:]
        return self.linear(torch.cat((forward_last, backward_last)))  # type: ignore[no-any-return]


class AttentionLayer(nn.Module):
    """Self-attention and a feed-forward layer, each added to its input and normalised. Shape (1, windows, 64)."""

    def __init__(self) -> None:
        super().__init__()
        self.self_attn = nn.MultiheadAttention(64, 1, batch_first=True)
        self.linear1 = nn.Linear(64, 64)
        self.linear2 = nn.Linear(64, 64)
        self.norm1 = nn.LayerNorm(64)
        self.norm2 = nn.LayerNorm(64)

    def forward(self, x: Tensor) -> Tensor:
        x = self.norm1(x + self.self_attn(x, x, x, need_weights=False)[0])
        return self.norm2(x + self.linear2(F.relu(self.linear1(x))))  # type: ignore[no-any-return]


class Attention(nn.Module):
    """(1, windows, 384) to (1, windows, 64)."""

    def __init__(self) -> None:
        super().__init__()
        self.linear = nn.Linear(384, 64)
        self.norm1 = nn.LayerNorm(64)
        self.layers = nn.Sequential(AttentionLayer(), AttentionLayer())

    def forward(self, x: Tensor) -> Tensor:
        return self.layers(self.norm1(self.linear(x)))  # type: ignore[no-any-return]


class AttentionPool(nn.Module):
    """Maps (1, windows, 64) to one value. Each window is weighted by its content."""

    def __init__(self) -> None:
        super().__init__()
        self.linear1 = nn.Linear(64, 128)
        self.linear2 = nn.Linear(128, 1)
        self.linear3 = nn.Linear(64, 1)

    def forward(self, x: Tensor) -> Tensor:
        weights = F.softmax(self.linear2(F.relu(self.linear1(x))), dim=1)
        return self.linear3((weights * x).sum(1))[0]  # type: ignore[no-any-return]


class QualityNetwork(nn.Module):
    """NISQA 2.0: (windows, 1, 48, 15) to MOS, noisiness, discontinuity, coloration, loudness."""

    def __init__(self, state: dict[str, Tensor]) -> None:
        super().__init__()
        pools: dict[int, Callable[[Tensor], Tensor]] = {
            1: lambda x: F.adaptive_max_pool2d(x, (24, 7)),
            2: lambda x: F.adaptive_max_pool2d(x, (12, 5)),
            4: lambda x: F.adaptive_max_pool2d(x, (6, 3)),
        }
        self.convolutions = NisqaConvolutions(pools, narrow_last=True)
        self.attention = Attention()
        self.pools = nn.ModuleList(AttentionPool() for _ in range(5))
        _fill(self.convolutions, state, "cnn.model.")
        _fill(self.attention, state, "time_dependency.model.")
        for dimension, pool in enumerate(self.pools):
            _fill(pool, state, f"pool_layers.{dimension}.model.")
        self.eval()

    def forward(self, windows: Tensor) -> Tensor:
        attended = self.attention(_in_parts(self.convolutions, windows)[None])
        return torch.cat([pool(attended) for pool in self.pools])


def _fill(module: nn.Module, state: dict[str, Tensor], prefix: str) -> None:
    """Load the part of the published weights below ``prefix``. Raises if a weight is missing or left over."""
    module.load_state_dict({k.removeprefix(prefix): v for k, v in state.items() if k.startswith(prefix)})
