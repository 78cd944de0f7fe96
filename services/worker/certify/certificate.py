"""A certificate: what was spoken and where, what it sounded like under each condition, and how long it took.

Owns the document (schema 1) and its verdict. Knows neither hosts nor servers, nor how a certificate is read
(reading.py). It has samples only if they were asked for.
"""

from __future__ import annotations

import base64
import zlib
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from services.worker.certify.fingerprint import DEFINITION
from services.worker.certify.tiers import Print, Tier, TierDifference

SCHEMA = 1
OBJECT = "certificate"
HERE = "here"
"""The place of a certificate that was made without a server."""


@dataclass(frozen=True, slots=True)
class CertifyOutcome:
    """The result of an item under one condition: its hashes and its difference from the reference, or why it was not
    spoken."""

    pcm_sha256: tuple[str, ...] = ()
    """Of every time that it was spoken."""
    difference: TierDifference | None = None
    """Of the time that differed most from the reference."""
    failure: str | None = None

    def to_json(self) -> dict[str, Any]:
        if self.difference is None:
            return {"failure": self.failure}
        return {"pcm_sha256": list(self.pcm_sha256), **self.difference.to_json()}


@dataclass(frozen=True, slots=True)
class CertificateEntry:
    """One item. ``clip``: the reference, spoken first and alone by a new host."""

    id: str
    asked: Mapping[str, Any]
    used: Mapping[str, Any]
    """With the defaults of the pin."""
    clip: Print
    timings: Mapping[str, float]
    """Seconds and MB, as listed in docs/certificates.md."""
    conditions: Mapping[str, CertifyOutcome] = field(default_factory=dict)

    @property
    def tier(self) -> Tier | None:
        """The worst of all conditions, or ``None`` if it was not spoken under one."""
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


@dataclass(frozen=True, slots=True)
class Certificate:
    """The certificate as a document. `to_json` writes it."""

    made_at: str
    """RFC 3339."""
    where: str
    """`HERE`, or the URL of the server that spoke."""
    manifest: Mapping[str, Any]
    """The pin's manifest, with its lock."""
    environment: Mapping[str, Any]
    """Of a server, only the part that can change a sample. Empty if the server does not report it."""
    suite: Mapping[str, Any]
    seed: int
    entries: tuple[CertificateEntry, ...]
    unspoken: Mapping[str, str]
    """The items that the pin did not speak, by id, and why."""
    skipped: Mapping[str, str]
    """The conditions that do not apply, and why."""

    @property
    def pin(self) -> str:
        return str(self.manifest["pin"])

    @property
    def lock_sha256(self) -> str:
        return str(self.manifest["lock_sha256"])

    @property
    def tier(self) -> Tier | None:
        """The worst of all items. ``None`` if one was not spoken, or not under every condition."""
        tiers = [entry.tier for entry in self.entries]
        if self.unspoken or None in tiers:
            return None
        return max((tier for tier in tiers if tier is not None), default=None)

    def without_audio(self) -> Certificate:
        """Return the same certificate with hashes and fingerprints but no samples."""
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
