"""What others feel of an attack: `/healthz`, asked every 20 ms, while somebody does their worst to the same gateway."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Sequence

import httpx
import psutil  # type: ignore[import-untyped]

from benchmarks.gateway.gateway_weight import watched
from benchmarks.harness.attackers import KINDS
from benchmarks.harness.clips import ONE
from benchmarks.harness.deployments import Ringtrue
from benchmarks.harness.load import percentile
from benchmarks.harness.processes import Processes, environment
from benchmarks.harness.progress import say

_SECONDS = 15.0
_EVERY_S = 0.02
_JOBS = 20_000
"""In the store before it begins, for lists to be long."""


def measure() -> dict[str, float]:
    """Milliseconds: the 99th percentile without an attack and of the worst kind, and the longest of all, so long at
    most a request holds the loop; MB that the gateway grew by."""
    with Processes() as processes:
        ours = Ringtrue(processes)
        ours.start("redis", "gateway")
        ours.publish_pins()
        for _ in range(_JOBS // 1000):
            ours.submit([ONE.submission] * 1000)
        gateway = psutil.Process(ours.pid("gateway"))
        began_at = gateway.memory_info().rss
        figures = {"quiet_p99_ms": percentile(_asked(ours.url, 5.0), 99) * 1000}
        with watched(gateway) as peak:
            taken = {kind: _while_attacked(ours.url, kind) for kind in KINDS}
    figures["worst_p99_ms"] = max(percentile(of_one, 99) for of_one in taken.values()) * 1000
    figures["longest_ms"] = max(of_one[-1] for of_one in taken.values()) * 1000
    return {**figures, "grown_mb": (peak[0] - began_at) / 1e6}


def _while_attacked(url: str, kind: str) -> Sequence[float]:
    argv = [sys.executable, "-m", "benchmarks.harness.attackers", kind, url, str(_SECONDS + 1)]
    with subprocess.Popen(argv, env=environment()) as attacker:
        try:
            time.sleep(1)
            taken = _asked(url, _SECONDS)
            say(f"attacked by {kind}: p99 {percentile(taken, 99) * 1000:.1f}, longest {taken[-1] * 1000:.1f} ms")
            return taken
        finally:
            attacker.wait()


def _asked(url: str, seconds: float) -> Sequence[float]:
    """Seconds that each answer took, shortest first."""
    taken: list[float] = []
    with httpx.Client(base_url=url, timeout=30, trust_env=False) as http:
        until = time.monotonic() + seconds
        while time.monotonic() < until:
            began = time.perf_counter()
            http.get("/healthz").raise_for_status()
            taken.append(time.perf_counter() - began)
            time.sleep(_EVERY_S)
    return sorted(taken)
