"""Pins, and what a worker says it can do with one (the manifest).

Owns the words `pin`, `manifest`, `control` and `support`. Knows no engine: a manifest is data that a worker publishes,
and the gateway checks submissions against it.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from enum import StrEnum
from typing import Any

from shared.controls import CONTROLS
from shared.values.members import known


class Support(StrEnum):
    """How an engine honours a control."""

    NATIVE = "native"  # inside the model or synthesiser
    POST = "post"  # afterwards, on the audio
    NO_EFFECT = "no_effect"  # accepted, but never changes a sample
    UNSUPPORTED = "unsupported"  # refused when the job is submitted


class PinState(StrEnum):
    """Whether a worker serves a pin."""

    READY = "ready"
    LOADING = "loading"
    REFUSED = "refused"  # its files are wrong or missing; `detail` says which


@dataclass(frozen=True, slots=True)
class Manifest:
    """What one worker can do with one pin."""

    pin: str
    engine: str
    """Engine family. It also names the queue that its wake-ups go to."""
    engine_version: str
    lock_sha256: str
    sample_rate: int
    """Native rate in Hz."""
    languages: tuple[str, ...]
    """BCP 47 tags, lower case. A request's tag matches the longest prefix of it in this list."""
    default_language: str
    voices: tuple[str, ...]
    """The engine's own voices; empty if it has none. A requested voice must be one of them or match `voice_pattern`."""
    controls: Mapping[str, Support]
    """Control -> how it is honoured. Controls that are missing here are unsupported."""
    emotions: tuple[str, ...]
    """Canonical names, then the engine's own such as ``indextts2:melancholic``."""
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
    trust_remote_code: bool = False
    """Whether code that came with the weights is run, in the host's sandbox."""
    state: PinState = PinState.READY
    detail: str | None = None
    environment: Mapping[str, Any] | None = None
    """What can change a sample on that machine (`shared.machine.environment.comparable`); None if unknown."""

    def __post_init__(self) -> None:
        object.__setattr__(self, "controls", dict.fromkeys(CONTROLS, Support.UNSUPPORTED) | dict(self.controls))

    def support(self, control: str) -> Support:
        """Return how this pin honours ``control``; an unknown control is unsupported."""
        return self.controls.get(control, Support.UNSUPPORTED)

    def refusal_of(self, known: Manifest | None) -> Manifest:
        """Return this refusal with the known capabilities of the pin, so that jobs are still checked against them."""
        if known is None or not known.languages:
            return self
        return replace(known, state=self.state, detail=self.detail, lock_sha256=self.lock_sha256)

    def to_json(self) -> dict[str, Any]:
        return asdict(self)

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Manifest:
        values = dict(known(cls, data))
        values["controls"] = {name: Support(value) for name, value in values["controls"].items()}
        values["state"] = PinState(values.get("state", PinState.READY))
        for name in ("languages", "voices", "emotions"):
            values[name] = tuple(values[name])
        return cls(**values)


def canonical_json(value: object) -> bytes:
    """Return the canonical bytes of a JSON value, for hashing: sorted keys, no spaces, UTF-8."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()


def lock_sha256(lock: Mapping[str, Any]) -> str:
    """Return the SHA-256 of a lock as canonical JSON, without its own member ``lock_sha256``."""
    return hashlib.sha256(canonical_json({k: v for k, v in lock.items() if k != "lock_sha256"})).hexdigest()
