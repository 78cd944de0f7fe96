"""Pins and what a worker says it can do with one (the manifest).

Owns the words `pin`, `manifest`, `control` and `support`. Knows no engine: a manifest is data that a worker publishes
and the gateway validates submissions against.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from enum import StrEnum
from typing import Any


class Support(StrEnum):
    """How an engine honours a control."""

    NATIVE = "native"  # inside the model or synthesiser
    POST = "post"  # afterwards, on the audio
    NO_EFFECT = "no_effect"  # accepted, and known not to change a sample
    UNSUPPORTED = "unsupported"  # refused at submit


CONTROLS = (
    "emotion",
    "strength",
    "emotion_vector",
    "emotion_audio",
    "emotion_text",
    "speed",
    "pitch_scale",
    "seed",
    "sample_rate",
    "reference",
)
"""Every control a job may ask for. `emotion` is by name; the three others are the further forms of the same member."""


class PinState(StrEnum):
    """Whether a worker serves a pin."""

    READY = "ready"
    LOADING = "loading"
    REFUSED = "refused"  # its bytes are wrong or missing; `detail` says which


@dataclass(frozen=True, slots=True)
class Manifest:
    """What one worker can do with one pin."""

    pin: str
    engine: str
    """Engine family; also the name of the queue its bells go to."""
    engine_version: str
    lock_sha256: str
    sample_rate: int
    """Native rate in Hz."""
    languages: tuple[str, ...]
    """BCP 47 tags, lower case; a request's tag matches by its longest prefix here."""
    default_language: str
    voices: tuple[str, ...]
    """The engine's own voices; empty where it has none. A voice asked for is one of them or matches `voice_pattern`."""
    controls: Mapping[str, Support]
    emotions: tuple[str, ...]
    """Canonical names, then engine extras such as ``indextts2:melancholic``."""
    voice_pattern: str | None = None
    """Regular expression for composed voice names (espeak's ``LANGUAGE+VARIANT``)."""
    default_voice: str | None = None
    max_batch: int = 1
    max_piece_chars: int = 400
    """Longer texts are split at sentence ends into pieces of at most this many characters."""
    options_schema: Mapping[str, Any] = field(
        default_factory=lambda: {"type": "object", "properties": {}, "additionalProperties": False}
    )
    """JSON Schema (2020-12) of `options`."""
    licence: str = ""
    description: str = ""
    model_repo: str | None = None
    model_revision: str | None = None
    state: PinState = PinState.READY
    detail: str | None = None
    environment: Mapping[str, Any] | None = None
    """What can move a sample where it is spoken (`shared.environment.comparable`); None: unknown."""

    def support(self, control: str) -> Support:
        """How this pin honours ``control``; what a manifest does not name is unsupported."""
        return self.controls.get(control, Support.UNSUPPORTED)

    def refusal_of(self, known: Manifest | None) -> Manifest:
        """This refusal, with the capabilities that were known of the pin: jobs for it are judged by those."""
        if known is None or not known.languages:
            return self
        return replace(known, state=self.state, detail=self.detail, lock_sha256=self.lock_sha256)

    def to_json(self) -> dict[str, Any]:
        return asdict(self)

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Manifest:
        values = dict(data)
        values["controls"] = {name: Support(value) for name, value in values["controls"].items()}
        values["state"] = PinState(values["state"])
        for name in ("languages", "voices", "emotions"):
            values[name] = tuple(values[name])
        return cls(**values)


def canonical_json(value: object) -> bytes:
    """The one byte form of a JSON value that hashes are taken over: sorted keys, no spaces, UTF-8."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()


def lock_sha256(lock: Mapping[str, Any]) -> str:
    """Hash of a lock over canonical JSON, its own member ``lock_sha256`` left out."""
    return hashlib.sha256(canonical_json({k: v for k, v in lock.items() if k != "lock_sha256"})).hexdigest()
