"""The four convolutions that take nearly all of DNSMOS's time, by Winograd's algorithm.

Owns how they are computed. NNPACK, which comes with torch, needs less than half the multiplications of onnxruntime
(Lavin and Gray 2016, arXiv:1509.09308), and its result differs by rounding only. If this build or this processor has
no NNPACK, torch's own convolution gives the same in twice the time. Knows neither windows nor grades.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import torch
from torch.nn import functional

Features = npt.NDArray[np.float32]


class Convolutions:
    """3 x 3 convolutions one after the other, each followed by a ReLU, then a maximum over 2 x 2.

    ``kernels``: shapes (out, in, 3, 3); ``biases``: (out,).
    """

    def __init__(self, kernels: Sequence[Features], biases: Sequence[Features]) -> None:
        self._layers = [
            (torch.from_numpy(kernel.copy()), torch.from_numpy(bias.copy()))
            for kernel, bias in zip(kernels, biases, strict=True)
        ]
        self._winograd = torch._nnpack_available() and hasattr(torch, "_nnpack_spatial_convolution")

    def __call__(self, spectra: Features) -> Features:
        """Return the features, shape (n, out channels, frames / 2, bins / 2). ``spectra`` has the shape (n, frames,
        bins)."""
        with torch.inference_mode():
            features = torch.from_numpy(spectra)[:, None]
            for kernel, bias in self._layers:
                features = self._convolved(features, kernel, bias).relu_()
            return np.asarray(_pooled(features).numpy(), np.float32)

    def _convolved(self, features: torch.Tensor, kernel: torch.Tensor, bias: torch.Tensor) -> torch.Tensor:
        if self._winograd and kernel.shape[1] > 1:  # with one channel there is nothing to save
            return torch._nnpack_spatial_convolution(features, kernel, bias, 1, 1)
        return functional.conv2d(features, kernel, bias, padding=1)


def _pooled(features: torch.Tensor) -> torch.Tensor:
    """Return the maximum over 2 x 2. An odd last row or column is left out. `max_pool2d` takes ten times as long."""
    rows, columns = (size // 2 * 2 for size in features.shape[-2:])
    features = torch.maximum(features[..., 0:rows:2, :columns], features[..., 1:rows:2, :columns])
    return torch.maximum(features[..., ::2], features[..., 1::2])
