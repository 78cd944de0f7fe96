"""Whose clip or study a scorer takes next, in memory: the rules of shared/scheduling/fairness.py."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from typing import NamedTuple

from shared.scheduling.fairness import window_at


class Due(NamedTuple):
    """What a scorer may take."""

    user: str
    due_at: float
    id: str
    cost: float


class MemoryTurns:
    """The accounts of scorers, by work and user. For use under the lock of the rows."""

    def __init__(self) -> None:
        self._accounts: dict[tuple[str, str, int], float] = {}

    def take(self, work: str, due: Iterable[Due], now: float, wanted: int = 1) -> list[str]:
        """Ids of up to ``wanted`` whose turn it is, charged to their users' accounts."""
        window = window_at(now)
        ahead: defaultdict[str, float] = defaultdict(float)
        ordered = []
        for one in sorted(due, key=lambda due: (due.due_at, due.id)):
            turn = self._accounts.get((work, one.user, window), 0.0) + ahead[one.user]
            ahead[one.user] += one.cost
            ordered.append((turn, one.due_at, one.id, one))
        taken = [one for *_, one in sorted(ordered)[:wanted]]
        costs: defaultdict[str, float] = defaultdict(float)
        for one in taken:
            costs[one.user] += one.cost
        for user, cost in costs.items():
            self._accounts[work, user, window] = self._accounts.get((work, user, window), 0.0) + cost
        return [one.id for one in taken]
