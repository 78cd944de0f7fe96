"""Which device a pin runs on. Owns what has to be known of it before torch is loaded: whether it is a GPU."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from services.worker.engines.base import EngineError

if TYPE_CHECKING:
    import torch

_NODES = ("/dev/nvidiactl", "/dev/dxg", "/dev/kfd")
"""One of these is there with a GPU of NVIDIA's, on Linux or under WSL, or of AMD's."""


def on_gpu(wanted: str) -> bool:
    """Whether a pin that wants ``wanted`` (`wishes.DEVICES`) runs on a GPU. torch is asked only where one may be."""
    if wanted == "cpu" or not any(Path(node).exists() for node in _NODES):
        return False
    import torch

    return torch.cuda.is_available()


def chosen(wanted: str) -> torch.device:
    """The device for a pin that wants ``wanted``. Raises `EngineError` where it asks for a GPU that is not here."""
    import torch

    if wanted == "cuda" and not torch.cuda.is_available():
        raise EngineError("options/device: there is no GPU here for a pin that asks for one")
    gpu = wanted != "cpu" and torch.cuda.is_available()
    return torch.device("cuda", torch.cuda.current_device()) if gpu else torch.device("cpu")
