"""Aliases as a dictionary."""

from __future__ import annotations

import threading
from collections.abc import Sequence

from shared.aliases import Alias, Move


class MemoryAliasStore:
    """Implements ``shared.ports.AliasStore``."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._moves: dict[tuple[Alias, int], Move] = {}

    def last_moves(self) -> list[Move]:
        with self._lock:
            last = {alias: self._moves[alias, number] for alias, number in sorted(self._moves)}
        return list(last.values())

    def history(self, alias: Alias) -> list[Move]:
        with self._lock:
            return [self._moves[key] for key in sorted(self._moves) if key[0] == alias]

    def record(self, moves: Sequence[Move]) -> bool:
        keyed = {(move.alias, move.number): move for move in moves}
        with self._lock:
            if self._moves.keys() & keyed.keys():
                return False
            self._moves |= keyed
            return True
