"""What the workers publish, as the gateway knows it: read again at most once a second.

Owns how old that knowledge may be, and when a pin counts as live.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from services.gateway.admission import Admission
from shared.catalog import Manifest
from shared.errors import RefusalCode, Refused

FRESH_S = 1.0
LIVE_S = 20.0
"""A worker publishes every few seconds; one that was silent for this long is not counted on."""


@dataclass(frozen=True, slots=True)
class Published:
    """A pin: its newest manifest, when (epoch seconds) a live worker last confirmed it, and what it takes."""

    manifest: Manifest
    confirmed_at: float
    admission: Admission


class PinBoard:
    """``read`` blocks and is called in a thread. For use from one event loop."""

    def __init__(self, read: Callable[[], list[tuple[Manifest, float]]]) -> None:
        self._read = read
        self._published: Mapping[str, Published] = {}
        self._read_at = float("-inf")
        self._reading = asyncio.Lock()

    async def published(self) -> Mapping[str, Published]:
        """Every pin that was ever published, by name."""
        if not self._fresh():
            async with self._reading:
                if not self._fresh():
                    read_at = time.monotonic()
                    self._published = await asyncio.to_thread(self._look)
                    self._read_at = read_at
        return self._published

    def _fresh(self) -> bool:
        return time.monotonic() - self._read_at < FRESH_S

    def _look(self) -> dict[str, Published]:
        known = self._published
        return {
            manifest.pin: Published(
                manifest,
                confirmed_at,
                known[manifest.pin].admission
                if manifest.pin in known and known[manifest.pin].manifest == manifest
                else Admission(manifest),
            )
            for manifest, confirmed_at in self._read()
        }


def resolve(name: str, published: Mapping[str, Published]) -> Admission:
    """What the pin takes that ``name`` means. Names with an alias (``name@alias``) are not served yet."""
    if name not in published:
        raise Refused(RefusalCode.PIN_UNKNOWN, f"no worker ever published a pin {name}")
    return published[name].admission
