"""What a class of models must do to speak, and what it reports before its weights are in memory."""

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
    """BCP 47 tags, lower case. Empty if the files do not say."""
    seed: Support
    description: str
    voices: tuple[str, ...] = ()
    """The first is used if a request names none, unless `voiceless`."""
    voiceless: bool = False
    """It can also speak without a voice."""
    speed: Support = Support.POST
    options: Sequence[Number] = ()
    max_piece_chars: int = 400
    batches: bool = False
    """It is a `BatchSpeaker`."""
    compiles: bool = False
    """It is a `CompiledSpeaker`."""


@dataclass(frozen=True, slots=True)
class TextLine:
    """One piece of text for a model. Its text has words in it, and its voice is one of the facts'."""

    text: str
    voice: str | None
    speed: float
    options: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Waveform:
    """What a model made of a line: float samples (n,), full scale 1."""

    samples: torch.Tensor
    tempo: float
    """The factor of tempo that is left to reach the requested speed."""


class CheckpointSpeaker(Protocol):
    """A class of models with one checkpoint. The constructor reads configuration files only."""

    def facts(self) -> Facts:
        """Return what the checkpoint can do. Raises `EngineError` if files are missing or do not belong together."""

    def load(self, device: torch.device) -> None:
        """Bring the weights into memory."""

    def waveform(self, line: TextLine) -> Waveform:
        """Speak one line. The caller seeds the random numbers and turns gradients off. Raises `EngineError` for text
        that the model knows only in part."""


class BatchSpeaker(CheckpointSpeaker, Protocol):
    """A class of models that speaks several lines in one pass."""

    def waveforms(self, lines: Sequence[TextLine]) -> Sequence[Waveform]:
        """Speak several lines, like `waveform`: one result per line, in their order. The lines agree in everything but
        text."""


class CompiledSpeaker(CheckpointSpeaker, Protocol):
    """A class of models with a network that is worth compiling."""

    def compile(self) -> None:
        """Compile it and try it out. The caller turns gradients off. Raises `EngineError`."""
