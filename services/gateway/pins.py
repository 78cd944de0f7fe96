"""What the workers publish and what the aliases mean, as the gateway knows it: read again at most once a second.

Owns how old that knowledge may be, when a pin counts as live, and which pin a name means to whom.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

from services.gateway.admission import Admission
from shared.aliases import Alias, Move, is_drawn
from shared.catalog import Manifest, PinState
from shared.errors import RefusalCode, Refused
from shared.ports import LIVE_S

FRESH_S = 1.0


@dataclass(frozen=True, slots=True)
class Published:
    """A pin: its newest manifest, when (epoch seconds) a live worker last confirmed it, and what it takes."""

    manifest: Manifest
    confirmed_at: float
    admission: Admission

    def is_live(self, now: float) -> bool:
        """Whether a worker answers for it."""
        return now - self.confirmed_at < LIVE_S


@dataclass(frozen=True, slots=True)
class Meaning:
    """What an alias means: the pin of its last move, but for the users whom a candidate takes a share of."""

    move: Move
    idle: str | None = None
    """Of a candidate with a weight: why it takes no share now."""
    candidate: Move | None = None
    """Of production: the one that takes a share of it now."""

    def pin_for(self, user: str) -> str:
        """The pin that it means to ``user``."""
        rival = self.candidate
        if rival is not None and is_drawn(rival.alias.model, rival.pin, user, rival.weight):
            return rival.pin
        return self.move.pin


@dataclass(frozen=True, slots=True)
class Board:
    """All of it at one moment: every pin that was ever published by its name, every alias as ``model@word``."""

    pins: Mapping[str, Published]
    aliases: Mapping[str, Meaning]


class PinBoard:
    """``read_pins`` and ``read_moves`` block and are called in a thread. For use from one event loop."""

    def __init__(
        self,
        read_pins: Callable[[], list[tuple[Manifest, float]]],
        read_moves: Callable[[], list[Move]],
        clock: Callable[[], float],
    ) -> None:
        self._read_pins = read_pins
        self._read_moves = read_moves
        self._clock = clock
        self._board = Board({}, {})
        self._read_at = float("-inf")
        self._reading = asyncio.Lock()

    async def latest(self) -> Board:
        """What holds now, or did a second ago."""
        if not self._fresh():
            async with self._reading:
                if not self._fresh():
                    read_at = time.monotonic()
                    self._board = await asyncio.to_thread(self._look)
                    self._read_at = read_at
        return self._board

    def _fresh(self) -> bool:
        return time.monotonic() - self._read_at < FRESH_S

    def _look(self) -> Board:
        known = self._board.pins
        pins = {
            manifest.pin: Published(
                manifest,
                confirmed_at,
                known[manifest.pin].admission
                if manifest.pin in known and known[manifest.pin].manifest == manifest
                else Admission(manifest),
            )
            for manifest, confirmed_at in self._read_pins()
        }
        return Board(pins, _meanings(self._read_moves(), pins, self._clock()))


def resolve(name: str, user: str, board: Board) -> Admission:
    """What the pin takes that ``name`` means to ``user``. ``name``: a pin's, or an alias (``model@word``)."""
    meaning = board.aliases.get(name)
    pin = name if meaning is None else meaning.pin_for(user)
    if pin in board.pins:
        return _served(board.pins[pin])
    if meaning is not None:
        raise Refused(RefusalCode.PIN_UNKNOWN, f"{name} is {pin}, which no worker ever published")
    if "@" in name:
        raise Refused(RefusalCode.PIN_UNKNOWN, f"there is no alias {name}")
    raise Refused(RefusalCode.PIN_UNKNOWN, f"no worker ever published a pin {name}")


def _served(published: Published) -> Admission:
    """A refused pin takes jobs, which then end with the reason, if there ever was a worker to say what it can do."""
    manifest = published.manifest
    if manifest.state is PinState.REFUSED and not manifest.languages:
        raise Refused(RefusalCode.PIN_UNKNOWN, f"no worker ever served {manifest.pin}: {manifest.detail}")
    return published.admission


def _meanings(moves: Iterable[Move], pins: Mapping[str, Published], now: float) -> dict[str, Meaning]:
    last = {move.alias: move for move in moves}
    idle = {alias: _why_idle(move, last, pins, now) for alias, move in last.items() if move.weight}
    taking = {alias.production: last[alias] for alias, why in idle.items() if why is None}
    return {str(alias): Meaning(move, idle.get(alias), taking.get(alias)) for alias, move in last.items()}


def _why_idle(move: Move, last: Mapping[Alias, Move], pins: Mapping[str, Published], now: float) -> str | None:
    """Why a candidate takes no share, if it does not."""
    if move.alias.production not in last:
        return f"there is no alias {move.alias.production}"
    published = pins.get(move.pin)
    if published is None or not published.is_live(now) or published.manifest.state is PinState.REFUSED:
        return f"no live worker serves {move.pin}"
    return None
