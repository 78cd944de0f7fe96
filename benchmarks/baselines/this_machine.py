"""How fast this machine is right now, so that a time above its limit can be told from a slow processor.

Work that does not change from version to version: a loop in Python, and a product of matrices on one core.
"""

from __future__ import annotations

import json
import subprocess
import sys
import time
from statistics import median

from benchmarks.harness.processes import environment
from benchmarks.harness.progress import say

_ADDITIONS = 1_000_000
_SIDE = 1024
_ROUNDS = 9
_THREADS = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1")


def measure() -> dict[str, float]:
    """Return the medians: ms of the loop, and GFLOP/s in float32."""
    argv = [sys.executable, "-m", "benchmarks.baselines.this_machine"]
    done = subprocess.run(argv, env={**environment(), **_THREADS}, capture_output=True, text=True, check=True)
    figures: dict[str, float] = json.loads(done.stdout)
    say(f"this machine: loop {figures['loop_ms']:.0f} ms, {figures['gflop_per_s']:.0f} GFLOP/s")
    return figures


def main() -> None:
    """Print the figures as JSON. In a process of its own: numpy reads the number of threads when it is loaded."""
    loops, products = (median(work() for _ in range(_ROUNDS)) for work in (_loop_s, _product_s))
    print(json.dumps({"loop_ms": loops * 1000, "gflop_per_s": 2 * _SIDE**3 / products / 1e9}))


def _loop_s() -> float:
    began, total = time.perf_counter(), 0
    for number in range(_ADDITIONS):
        total += number
    return time.perf_counter() - began


def _product_s() -> float:
    import numpy as np

    matrix = np.ones((_SIDE, _SIDE), np.float32)
    began = time.perf_counter()
    matrix @ matrix
    return time.perf_counter() - began


if __name__ == "__main__":
    main()
