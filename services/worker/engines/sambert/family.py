"""The family ``sambert``: every pin is the catalog's, because the team chooses the weights."""

from __future__ import annotations

from collections.abc import Sequence

from services.worker.engines.base import Engine, Snapshot
from services.worker.engines.sambert.engine import SambertEngine


class Sambert:
    """A family without built-in pins."""

    name = "sambert"
    libraries = ("modelscope", "kantts", "ttsfrd", "torch", "transformers")

    def pins(self) -> Sequence[str]:
        return ()

    def build(self, pin: str) -> Engine:
        raise KeyError(pin)

    def build_from(self, snapshot: Snapshot) -> Engine:
        return SambertEngine(snapshot)
