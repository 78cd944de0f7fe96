"""The random numbers of one call: drawn from its seed, whatever was drawn before, and nothing is left behind."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import torch


@contextlib.contextmanager
def seeded(seed: int, device: torch.device) -> Iterator[None]:
    """Inside, torch draws from ``seed`` on the CPU and on ``device``, and keeps no gradients."""
    import torch

    devices = [device] if device.type == "cuda" else []
    with torch.random.fork_rng(devices=devices), torch.inference_mode():
        torch.manual_seed(seed)
        yield


def settle(device: torch.device) -> None:
    """Have ``device`` choose its algorithms by the shape alone, never by trying which is fast just now."""
    import torch

    if device.type == "cuda":
        torch.backends.cudnn.benchmark = False
        torch.backends.cudnn.deterministic = True
