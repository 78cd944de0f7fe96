"""The family ``piper``: it brings no pins, and makes an engine of every snapshot that holds a voice of Piper."""

from __future__ import annotations

from collections.abc import Sequence

from services.worker.engines.base import Engine, Snapshot
from services.worker.engines.piper.engine import PiperEngine


class Piper:
    """A family whose pins are all the catalog's."""

    name = "piper"
    libraries = ("piper-tts", "onnxruntime", "onnx")

    def pins(self) -> Sequence[str]:
        return ()

    def build(self, pin: str) -> Engine:
        raise KeyError(pin)

    def build_from(self, snapshot: Snapshot) -> Engine:
        return PiperEngine(snapshot)
