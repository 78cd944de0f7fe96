"""A certificate: what was spoken where, what it sounded like under each condition, and how long it took.

Owns the document (schema 1) and the verdict within it. Knows neither hosts nor servers, and not how one is read back
(reading.py). Samples are in it only where they were asked for.
"""

from __future__ import annotations

import base64
import zlib
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from services.worker.certify.fingerprint import DEFINITION
from services.worker.certify.tiers import Difference, Print, Tier

SCHEMA = 1
OBJECT = "certificate"
HERE = "here"
"""Where a certificate was made that no server spoke."""


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
