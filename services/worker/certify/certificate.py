"""A certificate: what was spoken where, what it sounded like under each condition, and how long it took.

Owns the document (schema 1) and the verdict within it. Knows neither hosts nor servers. Samples are in it only where
they were asked for.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import json
import zlib
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from services.worker.certify.fingerprint import DEFINITION, Fingerprint
from services.worker.certify.tiers import Difference, Print, Tier
from shared.audio import BYTES_PER_SAMPLE
from shared.errors import RingtrueError

SCHEMA = 1
OBJECT = "certificate"
HERE = "here"
"""Where a certificate was made that no server spoke."""
MAX_PCM_BYTES = 1 << 30
"""Of one clip."""


class CertificateInvalid(RingtrueError):
    """A file that is no certificate; the message says why."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of an item under one condition: hashes and how far from the reference; or why it was not spoken."""

    pcm_sha256: tuple[str, ...] = ()
    """Of every time that it was spoken."""
    difference: Difference | None = None
    """Of the time that was furthest from the reference."""
    failure: str | None = None

    def to_json(self) -> dict[str, Any]:
        if self.difference is None:
            return {"failure": self.failure}
        return {"pcm_sha256": list(self.pcm_sha256), **self.difference.to_json()}

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Outcome:
        if "failure" in data:
            return cls(failure=str(data["failure"]))
        rest = {name: value for name, value in data.items() if name != "pcm_sha256"}
        return cls(tuple(data["pcm_sha256"]), Difference.from_json(rest))


@dataclass(frozen=True, slots=True)
class Entry:
    """One item. ``clip``: the reference, spoken first by a fresh host, alone."""

    id: str
    asked: Mapping[str, Any]
    used: Mapping[str, Any]
    """With the defaults of the pin."""
    clip: Print
    timings: Mapping[str, float]
    """Seconds and MB; which there are is said in docs/certificates.md."""
    conditions: Mapping[str, Outcome] = field(default_factory=dict)

    @property
    def tier(self) -> Tier | None:
        """The worst of all conditions; ``None`` where it was not spoken under one."""
        differences = [outcome.difference for outcome in self.conditions.values()]
        if None in differences:
            return None
        return max((one.tier for one in differences if one is not None), default=Tier.EQUAL)

    def to_json(self) -> dict[str, Any]:
        clip = self.clip
        said = {
            "id": self.id,
            "asked": self.asked,
            "used": self.used,
            "pcm_sha256": clip.pcm_sha256,
            "sample_rate": clip.sample_rate,
            "samples": clip.samples,
            "duration_s": round(clip.duration_s, 6),
            "fingerprint": clip.sound.to_text(),
            "timings": self.timings,
            "conditions": {name: outcome.to_json() for name, outcome in self.conditions.items()},
        }
        return said if clip.pcm is None else {**said, "pcm": base64.b64encode(zlib.compress(clip.pcm)).decode()}

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Entry:
        sound = Fingerprint.from_text(data["fingerprint"])
        clip = Print(str(data["pcm_sha256"]), _count(data["sample_rate"]), _count(data["samples"]), sound)
        conditions = {name: Outcome.from_json(outcome) for name, outcome in data["conditions"].items()}
        timings = {name: float(value) for name, value in data["timings"].items()}
        pcm = _pcm(data["pcm"], clip) if "pcm" in data else None
        asked, used = dict(data["asked"]), dict(data["used"])
        return cls(str(data["id"]), asked, used, replace(clip, pcm=pcm), timings, conditions)


@dataclass(frozen=True, slots=True)
class Certificate:
    """The document."""

    made_at: str
    """RFC 3339."""
    where: str
    """`HERE`, or the URL of the server that spoke."""
    manifest: Mapping[str, Any]
    """Of the pin, lock included."""
    environment: Mapping[str, Any]
    """Of a server the part that can move a sample, empty where it does not say."""
    suite: Mapping[str, Any]
    seed: int
    entries: tuple[Entry, ...]
    unspoken: Mapping[str, str]
    """Items that the pin did not speak, by id, and why."""
    skipped: Mapping[str, str]
    """Conditions that do not apply, and why."""

    @property
    def pin(self) -> str:
        return str(self.manifest["pin"])

    @property
    def lock_sha256(self) -> str:
        return str(self.manifest["lock_sha256"])

    @property
    def tier(self) -> Tier | None:
        """The worst of all items; ``None`` where one was not spoken, or not under every condition."""
        tiers = [entry.tier for entry in self.entries]
        if self.unspoken or None in tiers:
            return None
        return max((tier for tier in tiers if tier is not None), default=None)

    def without_audio(self) -> Certificate:
        """The same, hashes and fingerprints alone."""
        entries = (replace(entry, clip=replace(entry.clip, pcm=None)) for entry in self.entries)
        return replace(self, entries=tuple(entries))

    def to_json(self) -> dict[str, Any]:
        return {
            "schema": SCHEMA,
            "object": OBJECT,
            "made_at": self.made_at,
            "where": self.where,
            "pin": {"name": self.pin, "lock_sha256": self.lock_sha256},
            "manifest": self.manifest,
            "environment": self.environment,
            "suite": self.suite,
            "seed": self.seed,
            "fingerprint": DEFINITION,
            "tier": None if self.tier is None else int(self.tier),
            "items": [entry.to_json() for entry in self.entries],
            "unspoken": self.unspoken,
            "skipped": self.skipped,
        }

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Certificate:
        manifest, environment = data["manifest"], data["environment"]
        entries = tuple(Entry.from_json(entry) for entry in data["items"])
        if len({entry.id for entry in entries}) < len(entries):
            raise ValueError("an item is there twice")
        return cls(
            made_at=str(data["made_at"]),
            where=str(data["where"]),
            manifest={**manifest, **_texts(manifest, "pin", "lock_sha256"), **_tables(manifest, "controls")},
            environment={**environment, **_tables(environment, "libraries")},
            suite=dict(data["suite"]),
            seed=int(data["seed"]),
            entries=entries,
            unspoken=dict(data["unspoken"]),
            skipped=dict(data["skipped"]),
        )


def read_certificate(path: Path) -> Certificate:
    """Raises `CertificateInvalid`, and `OSError` where the file cannot be read."""
    try:
        data = json.loads(path.read_bytes(), parse_constant=_no_number)
    except (ValueError, RecursionError) as error:
        raise CertificateInvalid(f"{path} is no JSON: {error}") from error
    if not isinstance(data, dict) or data.get("object") != OBJECT:
        raise CertificateInvalid(f"{path} is no certificate")
    if data.get("schema") != SCHEMA or data.get("fingerprint") != DEFINITION:
        found = f"schema {data.get('schema')}, fingerprint {data.get('fingerprint')}"
        raise CertificateInvalid(f"{path} is of another form ({found}); this reads {SCHEMA} and {DEFINITION}")
    try:
        return Certificate.from_json(data)
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise CertificateInvalid(f"{path} is no whole certificate: {type(error).__name__}: {error}") from error


def _texts(data: Mapping[str, Any], *names: str) -> dict[str, str]:
    return {name: str(data[name]) for name in names}


def _tables(data: Mapping[str, Any], *names: str) -> dict[str, dict[str, Any]]:
    return {name: dict(data[name]) for name in names if name in data}


def _no_number(said: str) -> float:
    raise ValueError(f"{said} is no number of JSON")


def _count(value: object) -> int:
    if not isinstance(value, int) or value < 1:
        raise ValueError(f"{value!r} where there is at least one")
    return value


def _pcm(text: str, clip: Print) -> bytes:
    """Raises `ValueError` where it is not what the hash says."""
    size = clip.samples * BYTES_PER_SAMPLE
    if size > MAX_PCM_BYTES:
        raise ValueError(f"a clip of {size} bytes")
    try:
        pcm = zlib.decompressobj().decompress(base64.b64decode(text, validate=True), size + 1)
    except (binascii.Error, zlib.error) as error:
        raise ValueError(f"audio that cannot be unpacked: {error}") from error
    if hashlib.sha256(pcm).hexdigest() != clip.pcm_sha256:
        raise ValueError(f"the audio is not that of pcm_sha256 {clip.pcm_sha256}")
    return pcm
