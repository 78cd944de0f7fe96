"""The family ``kokoro``: it brings no pins, and makes an engine of every snapshot that holds Kokoro and its voices."""

from __future__ import annotations

from collections.abc import Sequence

from services.worker.engines.base import Engine, Snapshot
from services.worker.engines.kokoro.engine import KokoroEngine


class Kokoro:
    """A family whose pins are all the catalog's."""

    name = "kokoro"
    libraries = ("hibari-tts", "misaki", "jieba", "pypinyin", "cn2an", "pyopenjtalk-plus", "onnxruntime", "onnx")

    def pins(self) -> Sequence[str]:
        return ()

    def build(self, pin: str) -> Engine:
        raise KeyError(pin)

    def build_from(self, snapshot: Snapshot) -> Engine:
        return KokoroEngine(snapshot)
