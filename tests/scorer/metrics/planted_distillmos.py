"""DistillMOS with weights that were drawn, not trained: every machine draws the same ones."""

from __future__ import annotations

import io
import math
import zlib

import numpy as np
import torch
from torch import Tensor

from services.scorer.metrics.distillmos.network import QualityHead, SpectrumConvolutions


def planted_state() -> dict[str, Tensor]:
    """Weights under the names of the published ones."""
    parts = {"cnn.": SpectrumConvolutions(), "transformer_pool_attn.": QualityHead()}
    drawn = {prefix + name: value for prefix, part in parts.items() for name, value in part.state_dict().items()}
    return {name: _drawn(name, value) for name, value in drawn.items()}


def _drawn(name: str, like: Tensor) -> Tensor:
    random = np.random.default_rng(zlib.crc32(name.encode()))
    if name.endswith("running_var"):
        return torch.from_numpy(random.uniform(0.5, 1.5, like.shape).astype(np.float32))
    if not like.is_floating_point():
        return torch.zeros_like(like)
    numbers = random.standard_normal(like.shape)
    if name.endswith("pe") or like.dim() == 1:
        numbers = 0.1 * numbers + ("norm" in name and name.endswith("weight"))
    else:
        numbers *= math.sqrt(2 / math.prod(like.shape[1:]))
    return torch.from_numpy(np.asarray(numbers, np.float32))


def weights_file(state: dict[str, Tensor]) -> bytes:
    """The file as the package has it."""
    file = io.BytesIO()
    torch.save({"model": state, "step": 1}, file)
    return file.getvalue()
