"""What an engine is: the protocols that every family implements and the conformance suite tests.

An engine runs in an engine host (services/worker/engines/host.py), a process that serves one pin. It knows nothing of
jobs, queues or stores: it gets a request and returns audio.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Protocol

from shared.audio import Audio
from shared.catalog import Manifest
from shared.controls import Emotion, SpeechControls
from shared.errors import FailureCode, RingtrueError


class EngineError(RingtrueError):
    """The engine cannot speak this request. Trying again would not help."""

    def __init__(self, message: str, code: FailureCode = FailureCode.ENGINE_ERROR) -> None:
        super().__init__(message)
        self.code = code


@dataclass(frozen=True, slots=True)
class SpeakRequest(SpeechControls):
    """One piece of text and how to speak it. Every control is within the range that the manifest allows.

    ``reference`` and the emotion's ``audio`` are WAV files named by their content. They exist for as long as the
    request.
    """

    text: str
    language: str
    reference: Path | None = field(default=None, kw_only=True)

    def to_json(self) -> dict[str, Any]:
        """Return the request as JSON for the engine host."""
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
    """A pin of the catalog as its host gets it: read-only files that were checked against the lock."""

    pin: str
    folder: Path
    """The only place to read weights from. Its layout is that of the lock."""
    lock_sha256: str
    options: Mapping[str, Any] = field(default_factory=dict)
    """The engine's own options, from the catalog."""
    trust_remote_code: bool = False
    """True if the code in the repository may be run: the team has read it, and the lock names its commit."""
    licence: str = ""
    repo: str | None = None
    revision: str | None = None
    """Full commit of ``repo``. Both are those of the pin's first component that comes from a hub."""

    def to_json(self) -> dict[str, Any]:
        """Return the snapshot as JSON for the engine host."""
        return {**asdict(self), "folder": str(self.folder)}

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Snapshot:
        return cls(**{**data, "folder": Path(data["folder"])})


class Engine(Protocol):
    """A model that speaks. The constructor must be cheap; `load` does the costly work."""

    def manifest(self) -> Manifest:
        """Return what this pin can do. Works before `load`, without the model's weights in memory.

        Raises `EngineError` if the pin's files are missing or differ from the lock.
        """

    def load(self) -> None:
        """Bring the model into memory. Raises `EngineError` if its files differ from the lock."""

    def speak(self, request: SpeakRequest) -> Audio:
        """Speak one piece completely, at the engine's own sample rate. Text beyond a limit of the engine is cut into
        parts (`fitting.parts_that_fit`). Characters that it does not know are named in an `EngineError`.

        The same request gives the same PCM, whatever was spoken before, and in a new process too. If an engine cannot
        promise that, its certificate says so. Raises `EngineError`; never returns silence for a failure.
        """


class BatchEngine(Engine, Protocol):
    """An engine that speaks several texts in one call. Its manifest says how many (``max_batch``).

    The other texts of a batch may change how a text sounds. So the composition of the batch is recorded with each clip.
    """

    def speak_batch(self, requests: Sequence[SpeakRequest]) -> Sequence[Audio]:
        """Return one audio per request, in their order, at the engine's own sample rate.

        The requests (at least two, at most the manifest's ``max_batch``) agree in everything but text and seed. The
        same batch gives the same PCM, as with `speak`. Raises `EngineError` for the whole batch if one text cannot be
        spoken.
        """


class EngineFamily(Protocol):
    """A family of engines, named by an entry point in the group ``ringtrue.engines``.

    Importing and constructing it is cheap: heavy work waits for `Engine.load`.
    """

    name: str
    libraries: Sequence[str]
    """Distributions whose version can change how its pins sound. The environment record has them; a family without this
    member adds none."""

    def pins(self) -> Sequence[str]:
        """Return the pins that the family brings along (built in, no weights to fetch)."""

    def build(self, pin: str) -> Engine:
        """Return the engine of one pin, not loaded. Raises `KeyError` for a pin of another family."""


class WeightedFamily(EngineFamily, Protocol):
    """A family whose engines use weights. It serves the catalog's pins too."""

    def build_from(self, snapshot: Snapshot) -> Engine:
        """Return the engine of one pin of the catalog, not loaded.

        It reads no file outside the snapshot, loads safetensors or with ``weights_only``, and runs code that came with
        the weights only if the snapshot allows it. Its manifest carries the snapshot's lock. Raises `EngineError` if
        options or files are not what such an engine needs.
        """
