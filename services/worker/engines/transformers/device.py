"""Which device a pin runs on. Owns how to tell, before torch is loaded, whether it is a GPU."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from services.worker.engines.base import EngineError

if TYPE_CHECKING:
    import torch

_NODES = ("/dev/nvidiactl", "/dev/dxg", "/dev/kfd")
"""One of these exists if there is a GPU of NVIDIA (on Linux or under WSL) or of AMD."""


def on_gpu(wanted: str) -> bool:
    """Return whether a pin that wants ``wanted`` (`pin_options.DEVICES`) runs on a GPU. torch is imported only if there
    may be one."""
    if wanted == "cpu" or not any(Path(node).exists() for node in _NODES):
        return False
    import torch

    return torch.cuda.is_available()


def chosen(wanted: str) -> torch.device:
    """Return the device for a pin that wants ``wanted``. Raises `EngineError` if it wants a GPU and there is none."""
    import torch

    if wanted == "cuda" and not torch.cuda.is_available():
        raise EngineError("options/device: there is no GPU here for a pin that asks for one")
    gpu = wanted != "cpu" and torch.cuda.is_available()
    return torch.device("cuda", torch.cuda.current_device()) if gpu else torch.device("cpu")
