"""A suite and its items, and the hash by which two suites count as the same.

Owns the words `suite` and `item`. Knows no file (reading.py) and no pin.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from shared.catalog import canonical_json
from shared.readings.pronunciation import Pronunciation

SCHEMA = 1
"""Version of the file format, and of what is hashed."""


@dataclass(frozen=True, slots=True)
class Item:
    """One text, and how it is to be spoken. ``None`` leaves a choice to the pin."""

    id: str
    text: str
    """In NFC."""
    language: str
    """BCP 47 tag, lower case."""
    emotion: str | None = None
    """A canonical name, or an engine's own such as ``indextts2:melancholic``."""
    strength: float | None = None
    """0 to 1, only with an emotion; ``None`` is 1."""
    voice: str | None = None
    """One of the engine's own voices."""
    reference: str | None = None
    """Id of an uploaded voice."""
    tags: tuple[str, ...] = ()
    """Groups in which results are reported; sorted."""
    pronunciation: Pronunciation | None = None
    """What is judged of the text's pronunciation."""

    def submission(self) -> dict[str, Any]:
        """Return the members of a job's submission that the item decides. Pin and seed come from the evaluation."""
        asked: dict[str, Any] = {"text": self.text, "language": self.language}
        if self.emotion is not None:
            asked["emotion"] = {"name": self.emotion}
            # an engine without strengths refuses any strength that is asked for, even the full one
            if self.strength is not None:
                asked["emotion"]["strength"] = self.strength
        asked |= {name: value for name in ("voice", "reference") if (value := getattr(self, name)) is not None}
        return asked | self._judged()

    def to_json(self) -> dict[str, Any]:
        """Return the item as a file writes it."""
        texts = ("id", "text", "language", "emotion", "strength", "voice", "reference")
        said = {name: value for name in texts if (value := getattr(self, name)) is not None}
        return said | self._judged() | self._tagged()

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Item:
        """Return what ``to_json`` wrote, without checking it."""
        judged = data.get("pronunciation")
        read = {"tags": tuple(data.get("tags", ())), "pronunciation": judged and Pronunciation.from_json(judged)}
        return cls(**{**data, **read})

    def hashed(self) -> dict[str, Any]:
        """Return what can change a result: what is asked for, with defaults filled in, and the item's groups."""
        asked = self.submission()
        if self.emotion is not None:
            asked["emotion"] = {"name": self.emotion, "strength": 1.0 if self.strength is None else self.strength}
        return asked | self._tagged()

    def _judged(self) -> dict[str, Any]:
        # an item without one has no member of this name, so the hashes of older suites stay as they are
        return {} if self.pronunciation is None else {"pronunciation": self.pronunciation.to_json()}

    def _tagged(self) -> dict[str, Any]:
        return {"tags": list(self.tags)} if self.tags else {}


@dataclass(frozen=True, slots=True)
class Suite:
    """What is spoken to judge a pin. Every item has its own id and asks for something different."""

    name: str
    version: str
    title: str
    licence: str
    items: tuple[Item, ...]
    description: str = ""

    @property
    def languages(self) -> tuple[str, ...]:
        """Languages of the items, in order of first use."""
        return tuple(dict.fromkeys(item.language for item in self.items))

    @property
    def sha256(self) -> str:
        """SHA-256 of the canonical JSON of what can change a result: the items by their ids.

        Name and version are for people and not hashed, and neither is the order of the items.
        """
        hashed = {"schema": SCHEMA, "items": {item.id: item.hashed() for item in self.items}}
        return hashlib.sha256(canonical_json(hashed)).hexdigest()

    def to_json(self) -> dict[str, Any]:
        """Return the suite as a file writes it, and its hash."""
        said = {"name": self.name, "version": self.version, "title": self.title, "licence": self.licence}
        if self.description:
            said["description"] = self.description
        items = [item.to_json() for item in self.items]
        return {"schema": SCHEMA, **said, "sha256": self.sha256, "items": items}
