"""The family ``wobble``: one sound stochastic pin, and one pin per defect."""

from __future__ import annotations

from collections.abc import Sequence

from ringtrue_wobble.burden import Burden
from ringtrue_wobble.engine import WobbleEngine
from ringtrue_wobble.flaws import FLAWS, Tuned
from services.worker.engines.base import Engine, Snapshot
from services.worker.engines.espeak.family import Espeak


class Wobble:
    """Pins are named for what is wrong with them; ``wobble`` itself is sound. Pins of the catalog have weights."""

    name = "wobble"
    libraries = Espeak.libraries

    def pins(self) -> Sequence[str]:
        return tuple(FLAWS)

    def build(self, pin: str) -> Engine:
        return WobbleEngine(pin, FLAWS[pin])

    def build_from(self, snapshot: Snapshot) -> Engine:
        return WobbleEngine(snapshot.pin, Tuned(snapshot.folder), Burden.of(snapshot.folder / "tuning.json"))
