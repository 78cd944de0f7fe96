"""Runs a module as a program whose clock is wrong: ``python -m tests.whole.chaos.skewed SECONDS MODULE ARGUMENT …``.

Shifts what Python's ``time`` tells, in this process alone: its children and its database have the right time."""

from __future__ import annotations

import runpy
import sys
import time


def shift(seconds: float) -> None:
    right, right_ns = time.time, time.time_ns
    time.time = lambda: right() + seconds
    time.time_ns = lambda: right_ns() + round(seconds * 1e9)


if __name__ == "__main__":
    shift(float(sys.argv[1]))
    module, sys.argv = sys.argv[2], sys.argv[2:]
    runpy.run_module(module, run_name="__main__", alter_sys=True)
