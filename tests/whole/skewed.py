"""``skewed.py SECONDS MODULE ARGUMENTS…``: a service on a machine whose own clock is wrong by so many seconds.

What Python programs ask for the time is moved before anything of the service is imported.
"""

from __future__ import annotations

import datetime
import runpy
import sys
import time


def skew(seconds: float) -> None:
    """Move this process's clock."""
    right, right_ns, right_datetime = time.time, time.time_ns, datetime.datetime

    class Skewed(right_datetime):
        @classmethod
        def now(cls, tz: datetime.tzinfo | None = None) -> Skewed:  # type: ignore[override]
            return cls.fromtimestamp(time.time(), tz)

    time.time = lambda: right() + seconds
    time.time_ns = lambda: right_ns() + int(seconds * 1e9)
    datetime.datetime = Skewed  # type: ignore[misc]


if __name__ == "__main__":
    _, wrong_by, module, *arguments = sys.argv
    skew(float(wrong_by))
    sys.argv = [module, *arguments]
    runpy.run_module(module, run_name="__main__", alter_sys=True)
