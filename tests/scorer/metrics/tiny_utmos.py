"""TorchScript in the place of UTMOS: the louder a clip, the higher its MOS. Each form is strict about its input."""

from __future__ import annotations

import io

import torch
from torch import Tensor, nn


class OfFloats(nn.Module):
    """Takes float32 in [-1, 1], shape (1, n); gives shape (1,), as the published script does."""

    def forward(self, samples: Tensor) -> Tensor:
        assert samples.dtype == torch.float32
        return 1 + 4 * samples.abs().mean(dim=1)


class OfIntegers(nn.Module):
    """Takes int16, shape (1, n); gives a number without a shape."""

    def forward(self, samples: Tensor) -> Tensor:
        assert samples.dtype == torch.int16
        return 1 + 4 * (samples.float() / 32768).abs().mean()


class OfFrames(nn.Module):
    """Gives a number for every sample."""

    def forward(self, samples: Tensor) -> Tensor:
        return samples.abs()


class Nothing(nn.Module):
    """Gives no number."""

    def forward(self, samples: Tensor) -> Tensor:
        return samples.mean() * float("nan")


def script(module: nn.Module) -> bytes:
    """The module as a file of TorchScript."""
    file = io.BytesIO()
    torch.jit.save(torch.jit.script(module), file)
    return file.getvalue()
