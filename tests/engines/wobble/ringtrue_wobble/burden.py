"""What a pin of wobble with weights does to memory, and how long it takes, as its ``tuning.json`` says."""

from __future__ import annotations

import json
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from pathlib import Path

from services.worker.engines.base import EngineError
from shared.errors import FailureCode

_PAGE = 4096


@dataclass
class Burden:
    """Sizes in MB (1e6 bytes)."""

    loaded_mb: float = 0.0
    """Taken at load, for good."""
    speaking_mb: float = 0.0
    """Taken while it speaks, per text of a batch."""
    leaked_mb: float = 0.0
    """Taken with every text, and never given back."""
    max_batch: int = 1
    fit_at_once: int = 1_000
    """More texts than this in a batch are out of the GPU's memory; 0: so is one."""
    takes_s: float = 0.0
    """Seconds, per call."""

    def __post_init__(self) -> None:
        self._kept: list[bytearray] = []

    @classmethod
    def of(cls, tuning: Path) -> Burden:
        told: Mapping[str, float] = json.loads(tuning.read_bytes())
        return cls(**{one.name: told[one.name] for one in fields(cls) if one.name in told})  # type: ignore[arg-type]

    def load(self) -> None:
        self._kept.append(_taken(self.loaded_mb))

    def speak(self, texts: Sequence[str]) -> bytearray:
        """What is taken for as long as the answer is kept."""
        if len(texts) > self.fit_at_once:
            raise EngineError(f"{len(texts)} at once are too many", FailureCode.GPU_OUT_OF_MEMORY)
        time.sleep(self.takes_s)
        if self.leaked_mb:
            self._kept.append(_taken(self.leaked_mb))
        return _taken(self.speaking_mb * len(texts))


def _taken(mb: float) -> bytearray:
    taken = bytearray(int(mb * 1e6))
    taken[::_PAGE] = b"\1" * len(taken[::_PAGE])  # memory counts once it is written to
    return taken
