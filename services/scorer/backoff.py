"""How long a study or a run waits before the next try."""

from __future__ import annotations

import random

MAX_BACKOFF_S = 300.0


def backoff_s(attempt: int) -> float:
    """Return the seconds to wait after try number ``attempt``.

    The limit doubles from 2 s up to 5 min; the result is a random number between half of the limit and all of it.
    """
    longest = min(MAX_BACKOFF_S, 2.0 ** min(attempt, 16))
    return longest * random.uniform(0.5, 1.0)  # noqa: S311 - spreads retries out; nothing secret
