"""How much of the machine's CPU this process may use."""

from __future__ import annotations

import os
from pathlib import Path


def cores() -> float:
    """Cores that may be used at once: of the affinity and the control group's limit the lower one."""
    allowed = float(len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1)
    return min(allowed, _limit(Path("/sys/fs/cgroup/cpu.max")))


def _limit(path: Path) -> float:
    try:
        quota, period = path.read_text().split()
    except (OSError, ValueError):
        return float("inf")
    return float("inf") if quota == "max" else int(quota) / int(period)
