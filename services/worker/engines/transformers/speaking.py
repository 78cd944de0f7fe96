"""What a class of models must do to speak, and what it says of itself before its weights are in memory."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

from services.worker.engines.options import Number
from shared.catalog import Support

if TYPE_CHECKING:
    import torch


@dataclass(frozen=True, slots=True)
class Facts:
    """What the files beside the weights say that this checkpoint can do."""

    sample_rate: int
    languages: tuple[str, ...]
    """BCP 47 tags, lower case; empty where the files do not say."""
    seed: Support
    description: str
    voices: tuple[str, ...] = ()
    """The first is spoken with where a request names none, unless `voiceless`."""
    voiceless: bool = False
    """It speaks without a voice too."""
    speed: Support = Support.POST
    options: Sequence[Number] = ()
    max_piece_chars: int = 400
    batches: bool = False
    """It is a `BatchSpeaker`."""
    compiles: bool = False
    """It is a `CompiledSpeaker`."""


@dataclass(frozen=True, slots=True)
class Line:
    """One piece of text for a model; its text has words in it, its voice is one of the facts'."""

    text: str
    voice: str | None
    speed: float
    options: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Waveform:
    """What a model made of a line: float samples (n,), full scale 1."""

    samples: torch.Tensor
    tempo: float
    """How much faster it has yet to become for the speed that was asked for."""


class Speaker(Protocol):
    """A class of models with one checkpoint. Constructing it reads configuration files only."""

    def facts(self) -> Facts:
        """Raises `EngineError` where files are missing or do not belong together."""

    def load(self, device: torch.device) -> None:
        """Bring the weights into memory."""

    def waveform(self, line: Line) -> Waveform:
        """Speak. Random numbers are seeded and gradients off around this call. Raises `EngineError` for text of which
        the model knows a part only."""


class BatchSpeaker(Speaker, Protocol):
    """A class of models that speaks several lines in one pass."""

    def waveforms(self, lines: Sequence[Line]) -> Sequence[Waveform]:
        """As `waveform`, one per line and in their order; the lines agree in everything but text."""


class CompiledSpeaker(Speaker, Protocol):
    """A class of models with a network in it that is worth compiling."""

    def compile(self) -> None:
        """Compile it, and try it out. Gradients are off around this call. Raises `EngineError`."""
