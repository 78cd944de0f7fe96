"""The family ``transformers``: it brings no pins, and makes an engine of every snapshot that the library can load."""

from __future__ import annotations

from collections.abc import Sequence

from services.worker.engines.base import Engine, Snapshot
from services.worker.engines.transformers.engine import TransformersEngine


class Transformers:
    """A family whose pins are all the catalog's."""

    name = "transformers"
    libraries = ("transformers", "torch")

    def pins(self) -> Sequence[str]:
        return ()

    def build(self, pin: str) -> Engine:
        raise KeyError(pin)

    def build_from(self, snapshot: Snapshot) -> Engine:
        return TransformersEngine(snapshot)
