"""Waits for something that the gateway works on, without any I/O.

Owns when it is polled again. Does not know what is waited for.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from math import inf
from time import monotonic
from typing import Generic, TypeVar

from ringtrue.errors import RingtrueError, TooManyRequests
from ringtrue.http.exchange import Flow, Request, exchange, read
from ringtrue.jobs import Json

Seen = TypeVar("Seen")
TOO_MANY = "rate_limited"
OUTAGE_S = 60.0
"""Seconds. A gateway that is away for less does not end a wait: the work goes on without it."""


@dataclass(frozen=True, slots=True)
class Patience(Generic[Seen]):
    """How long to wait, and who is shown the state meanwhile. ``timeout_s``: None waits forever."""

    timeout_s: float | None
    poll_s: float
    """How many seconds the gateway is asked to hold a poll open."""
    outage_s: float = OUTAGE_S
    watcher: Callable[[Seen], None] | None = None


def wait_until(
    path: str,
    parse: Callable[[Json], Seen],
    over: Callable[[Seen], bool],
    patience: Patience[Seen],
    late: Callable[[Seen, float], RingtrueError],
) -> Flow[Seen]:
    """Poll ``path`` until the state there is ``over`` and return it.

    Raises ``late(last state, seconds)`` when time is up. If the gateway answers a poll early and the state is not over,
    polls come at growing intervals. If it already holds open as many of this user's polls as allowed, one that it need
    not hold is sent.
    """
    may_hold = True
    give_up_at = inf if patience.timeout_s is None else monotonic() + patience.timeout_s
    pause_s = 0.0
    while True:
        held_s = int(max(0.0, min(patience.poll_s, give_up_at - monotonic() - pause_s))) if may_hold else 0
        asked_at = monotonic() + pause_s
        look = Request("GET", path, query={"wait": held_s} if held_s else {}, slow_s=held_s)
        try:
            too_many = TOO_MANY if held_s else None
            answer = yield from exchange(look, patience.outage_s, pause_s, raised_at_once=too_many)
        except TooManyRequests as refusal:
            if not held_s or refusal.code != TOO_MANY:
                raise
            may_hold, pause_s = False, min(refusal.retry_after_s or 1.0, max(0.0, give_up_at - monotonic()))
            continue
        may_hold = True
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
