"""What an engine is: the protocol that every family implements and the conformance suite tests.

An engine lives in an engine host (services/worker/engines/host.py), a process of its own that serves one pin. It knows
nothing of jobs, queues or stores: it gets a request and gives audio.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Protocol

from shared.audio import Audio
from shared.catalog import Manifest
from shared.errors import FailureCode, RingtrueError
from shared.jobs import Emotion


class EngineError(RingtrueError):
    """The engine cannot speak this request; trying again would not help."""

    def __init__(self, message: str, code: FailureCode = FailureCode.ENGINE_ERROR) -> None:
        super().__init__(message)
        self.code = code


@dataclass(frozen=True, slots=True)
class SpeakRequest:
    """One piece of text and how to speak it; every control within the range that the manifest allows.

    ``reference`` and the emotion's ``audio`` are WAV files named by their content, there for as long as the request.
    """

    text: str
    language: str
    voice: str | None = None
    reference: Path | None = None
    emotion: Emotion | None = None
    speed: float = 1.0
    pitch_scale: float = 1.0
    seed: int = 0
    options: Mapping[str, Any] = field(default_factory=dict)

    def to_json(self) -> dict[str, Any]:
        """As it travels to the engine host."""
        data = asdict(self)
        data["reference"] = None if self.reference is None else str(self.reference)
        return data

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> SpeakRequest:
        values = dict(data)
        if values["reference"] is not None:
            values["reference"] = Path(values["reference"])
        if values["emotion"] is not None:
            emotion = dict(values["emotion"])
            emotion["vector"] = None if emotion["vector"] is None else tuple(emotion["vector"])
            values["emotion"] = Emotion(**emotion)
        return cls(**values)


@dataclass(frozen=True, slots=True)
class Snapshot:
    """A pin of the catalog as its host is given it: files that were checked against the lock, read-only."""

    pin: str
    folder: Path
    """Laid out as the lock says; the only place to read weights from."""
    lock_sha256: str
    options: Mapping[str, Any] = field(default_factory=dict)
    """The engine's own, from the catalog."""
    trust_remote_code: bool = False
    """The team has read the code in the repository, and the lock names its commit: it may be run."""
    licence: str = ""
    repo: str | None = None
    revision: str | None = None
    """Full commit of ``repo``; both of the first component."""

    def to_json(self) -> dict[str, Any]:
        """As it travels to the engine host."""
        return {**asdict(self), "folder": str(self.folder)}

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Snapshot:
        return cls(**{**data, "folder": Path(data["folder"])})


class Engine(Protocol):
    """A model that speaks. Constructing does nothing costly; `load` does."""

    def manifest(self) -> Manifest:
        """What this pin can do. Works before `load`, without the model's weights in memory.

        Raises `EngineError` where the pin's files are missing or not what the lock says.
        """

    def load(self) -> None:
        """Bring the model into memory. Raises `EngineError` where its files are not what the lock says."""

    def speak(self, request: SpeakRequest) -> Audio:
        """Speak one piece at the engine's own sample rate.

        The same request gives the same PCM, whatever was spoken before and in a fresh process as well; where an engine
        cannot promise that, its certificate says so. Raises `EngineError`; never returns silence for a failure.
        """


class BatchEngine(Engine, Protocol):
    """An engine that speaks several texts in one go; its manifest says how many (``max_batch``).

    What stands beside a text in a batch may change how it sounds. So the batch is part of what a clip is, and its
    composition is recorded with it.
    """

    def speak_batch(self, requests: Sequence[SpeakRequest]) -> Sequence[Audio]:
        """One audio per request, in their order, at the engine's own sample rate.

        The requests (at least two, at most the manifest's ``max_batch``) agree in everything but text and seed. The
        same batch gives the same PCM, as `speak` does. Raises `EngineError` for the whole where one cannot be spoken.
        """


class EngineFamily(Protocol):
    """A family of engines, as named by an entry point in the group ``ringtrue.engines``.

    Importing and constructing it is cheap: what is heavy waits for `Engine.load`.
    """

    name: str

    def pins(self) -> Sequence[str]:
        """Pins that the family brings along (built in, no weights to fetch)."""

    def build(self, pin: str) -> Engine:
        """The engine of one pin, not loaded. `KeyError` for a pin that is not this family's."""


class WeightedFamily(EngineFamily, Protocol):
    """A family whose engines are made of weights: it serves the catalog's pins too."""

    def build_from(self, snapshot: Snapshot) -> Engine:
        """The engine of one pin of the catalog, not loaded.

        It reads no file outside the snapshot, loads safetensors or with ``weights_only``, and runs code that came with
        the weights only where the snapshot says so. Its manifest carries the snapshot's lock. Raises `EngineError`
        where options or files are not what such an engine needs.
        """
