"""An amount of memory, of the machine and of a GPU, in MB (1e6 bytes).

Owns the arithmetic. Knows no host and no device.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Amount:
    """Memory of the machine and of a GPU, in MB (1e6 bytes). Neither is negative."""

    rss_mb: float = 0.0
    vram_mb: float = 0.0

    def __add__(self, other: Amount) -> Amount:
        return Amount(self.rss_mb + other.rss_mb, self.vram_mb + other.vram_mb)

    def __mul__(self, factor: float) -> Amount:
        return Amount(self.rss_mb * factor, self.vram_mb * factor)

    def beyond(self, other: Amount) -> Amount:
        """Return by how much this exceeds ``other``, for each kind; at least 0."""
        return Amount(max(0.0, self.rss_mb - other.rss_mb), max(0.0, self.vram_mb - other.vram_mb))

    def at_least(self, other: Amount) -> Amount:
        """Return the greater of the two, for each kind."""
        return Amount(max(self.rss_mb, other.rss_mb), max(self.vram_mb, other.vram_mb))

    def at_most(self, other: Amount) -> Amount:
        """Return the smaller of the two, for each kind."""
        return Amount(min(self.rss_mb, other.rss_mb), min(self.vram_mb, other.vram_mb))

    def fits(self, room: Amount) -> bool:
        """Return whether it is within ``room``, for each kind."""
        return self.rss_mb <= room.rss_mb and self.vram_mb <= room.vram_mb

    def __str__(self) -> str:
        machine = f"{self.rss_mb:,.0f} MB"
        return f"{machine} and {self.vram_mb:,.0f} MB of the GPU" if self.vram_mb else machine

    def to_json(self) -> dict[str, float]:
        return asdict(self)

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Amount:
        return cls(float(data["rss_mb"]), float(data["vram_mb"]))


NOTHING = Amount()
