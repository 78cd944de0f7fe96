"""The family ``indextts2``: every pin is the catalog's, because the team chooses the weights."""

from __future__ import annotations

from collections.abc import Sequence

from services.worker.engines.base import Engine, Snapshot
from services.worker.engines.indextts2.engine import IndexTts2Engine


class IndexTts2:
    """A family without built-in pins."""

    name = "indextts2"
    libraries = ("indextts", "torch", "torchaudio", "transformers")

    def pins(self) -> Sequence[str]:
        return ()

    def build(self, pin: str) -> Engine:
        raise KeyError(pin)

    def build_from(self, snapshot: Snapshot) -> Engine:
        return IndexTts2Engine(snapshot)
