"""What the workers publish and what the aliases mean, as the gateway knows it: read again at most once a second.

Owns how old that knowledge may be, when a pin counts as live, and which pin a name means for which user.
"""

from __future__ import annotations

import asyncio
import difflib
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

from services.gateway.models.admission import Admission
from services.gateway.sharing.group_commit import in_time
from shared.aliases import Alias, Move, is_drawn
from shared.catalog import Manifest, PinState
from shared.errors import RefusalCode, Refused
from shared.ports import LIVE_S

FRESH_S = 1.0
_FEW = 5
"""With at most so many pins and aliases, all of them are named to a user who asked for one that does not exist."""
_MOST_COMPARED, _LONGEST_COMPARED = 20, 128
"""A name that does not exist is compared with at most so many names, by at most so many of its characters."""


@dataclass(frozen=True, slots=True)
class Published:
    """A pin: its newest manifest, when a live worker last confirmed it (epoch seconds), and what it takes."""

    manifest: Manifest
    confirmed_at: float
    admission: Admission

    def is_live(self, now: float) -> bool:
        """Return whether a live worker serves it. ``now``: epoch seconds."""
        return now - self.confirmed_at < LIVE_S


@dataclass(frozen=True, slots=True)
class Meaning:
    """What an alias means: the pin of its last move, except for the users whose share a candidate takes."""

    move: Move
    idle: str | None = None
    """For a candidate with a weight: why it takes no share now."""
    candidate: Move | None = None
    """For production: the candidate that takes a share of it now."""

    def pin_for(self, user: str) -> str:
        """Return the pin that the alias means for ``user``."""
        rival = self.candidate
        if rival is not None and is_drawn(rival.alias.model, rival.pin, user, rival.weight):
            return rival.pin
        return self.move.pin


@dataclass(frozen=True, slots=True)
class Board:
    """All pins and aliases at one moment: every pin ever published, by name, and every alias, as ``model@word``."""

    pins: Mapping[str, Published]
    aliases: Mapping[str, Meaning]


class PinBoard:
    """Keeps the pins and aliases fresh. ``read_pins`` and ``read_moves`` block and are called in a thread.

    For use from one event loop."""

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
        """Return the pins and aliases as they are now, or were at most a second ago."""
        if not self._fresh():
            await in_time(self._read_again())
        return self._board

    async def _read_again(self) -> None:
        async with self._reading:
            # Another request may have read while this one waited for the lock.
            if not self._fresh():
                read_at = time.monotonic()
                self._board = await asyncio.to_thread(self._look)
                self._read_at = read_at

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
    """Return what the pin takes that ``name`` means for ``user``. ``name``: of a pin, or an alias (``model@word``).

    Raises `Refused` (`pin_unknown`) if there is no such pin or alias."""
    meaning = board.aliases.get(name)
    pin = name if meaning is None else meaning.pin_for(user)
    if pin in board.pins:
        return _served(board.pins[pin])
    if meaning is not None:
        raise Refused(RefusalCode.PIN_UNKNOWN, f"{name} means {pin}, which no worker has published")
    what = f"there is no alias {name}" if "@" in name else f"no worker has published a pin {name}"
    raise Refused(RefusalCode.PIN_UNKNOWN, f"{what}{_like(name, board)}")


def _like(name: str, board: Board) -> str:
    """Return a hint for a message: names that may have been meant, and where all names are listed.

    A batch may ask for a thousand names that do not exist, so each is compared with a few only."""
    known = [*board.pins, *board.aliases]
    likely = [one for one in known if one[:2] == name[:2] or one[-2:] == name[-2:]][:_MOST_COMPARED]
    near = difflib.get_close_matches(name[:_LONGEST_COMPARED], likely)
    if not near and len(known) <= _FEW:
        near = known
    return f"; known: {', '.join(sorted(near))}; see GET /v1/pins" if near else "; see GET /v1/pins"


def _served(published: Published) -> Admission:
    """Return what a pin takes. A refused pin takes jobs too; they then end with the reason for its refusal.

    Raises `Refused` if no worker has ever said what the pin can do."""
    manifest = published.manifest
    if manifest.state is PinState.REFUSED and not manifest.languages:
        raise Refused(RefusalCode.PIN_UNKNOWN, f"no worker has served {manifest.pin}: {manifest.detail}")
    return published.admission


def _meanings(moves: Iterable[Move], pins: Mapping[str, Published], now: float) -> dict[str, Meaning]:
    last = {move.alias: move for move in moves}
    idle = {alias: _why_idle(move, last, pins, now) for alias, move in last.items() if move.weight}
    taking = {alias.production: last[alias] for alias, why in idle.items() if why is None}
    return {str(alias): Meaning(move, idle.get(alias), taking.get(alias)) for alias, move in last.items()}


def _why_idle(move: Move, last: Mapping[Alias, Move], pins: Mapping[str, Published], now: float) -> str | None:
    """Return why a candidate takes no share, or None if it takes one."""
    if move.alias.production not in last:
        return f"there is no alias {move.alias.production}"
    published = pins.get(move.pin)
    if published is None or not published.is_live(now) or published.manifest.state is PinState.REFUSED:
        return f"no live worker serves {move.pin}"
    return None
