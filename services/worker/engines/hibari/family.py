"""The family ``hibari``: it brings no pins, and makes an engine of every snapshot that holds voices of Hibari."""

from __future__ import annotations

from collections.abc import Sequence

from services.worker.engines.base import Engine, Snapshot
from services.worker.engines.hibari.engine import HibariEngine


class HibariFamily:
    """A family whose pins are all the catalog's."""

    name = "hibari"
    libraries = ("hibari-tts", "onnxruntime", "onnx")

    def pins(self) -> Sequence[str]:
        return ()

    def build(self, pin: str) -> Engine:
        raise KeyError(pin)

    def build_from(self, snapshot: Snapshot) -> Engine:
        return HibariEngine(snapshot)
