"""Waiting for something that the gateway works on, without doing any I/O.

Owns when it is looked at again. Knows not what is waited for.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from math import inf
from time import monotonic
from typing import Generic, TypeVar

from ringtrue.errors import RingtrueError
from ringtrue.exchange import Flow, Request, exchange, read
from ringtrue.jobs import Json

Seen = TypeVar("Seen")
OUTAGE_S = 60.0
"""A gateway that is away for less does not end a wait: the work goes on without it."""


@dataclass(frozen=True, slots=True)
class Patience(Generic[Seen]):
    """How long, and who is shown what is seen meanwhile. ``timeout_s``: None waits for ever."""

    timeout_s: float | None
    poll_s: float
    """How long the gateway is asked to hold a look open."""
    outage_s: float = OUTAGE_S
    watcher: Callable[[Seen], None] | None = None


def wait_until(
    path: str,
    parse: Callable[[Json], Seen],
    over: Callable[[Seen], bool],
    patience: Patience[Seen],
    late: Callable[[Seen, float], RingtrueError],
) -> Flow[Seen]:
    """Look at ``path`` until what is there is ``over``; raises what ``late`` makes of what was seen last.

    Where the gateway answers a look early and there is still something to wait for, looks come at growing intervals.
    """
    give_up_at = inf if patience.timeout_s is None else monotonic() + patience.timeout_s
    pause_s = 0.0
    while True:
        held_s = int(max(0.0, min(patience.poll_s, give_up_at - monotonic() - pause_s)))
        asked_at = monotonic() + pause_s
        look = Request("GET", path, query={"wait": held_s} if held_s else {}, slow_s=held_s)
        answer = yield from exchange(look, patience.outage_s, pause_s)
        seen = read(answer, parse)
        if patience.watcher:
            patience.watcher(seen)
        if over(seen):
            return seen
        now = monotonic()
        if now >= give_up_at:
            raise late(seen, patience.timeout_s or 0.0)
        in_full = held_s > 0 and now - asked_at >= held_s
        pause_s = 0.0 if in_full else min(max(0.05, 1.5 * pause_s), 1.0, give_up_at - now)
