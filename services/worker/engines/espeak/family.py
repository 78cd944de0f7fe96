"""The family ``espeak``: its pins are the presets in this folder."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from services.worker.engines.base import Engine
from services.worker.engines.espeak.engine import EspeakEngine

_PRESETS = {pin: Path(__file__).with_name(f"{pin}.toml") for pin in ("espeak-v1", "espeak-v2")}


class Espeak:
    """A family of built-in pins, without weights to fetch."""

    name = "espeak"
    libraries = ("espeakng-loader",)

    def pins(self) -> Sequence[str]:
        return tuple(_PRESETS)

    def build(self, pin: str) -> Engine:
        return EspeakEngine(pin, _PRESETS[pin])
