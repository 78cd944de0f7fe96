"""The memory of this machine, and of the GPU that this worker's hosts will use.

Owns the ways to ask the system. GPUs are listed with ``nvidia-smi``, so that the worker needs no tensor library.
"""

from __future__ import annotations

import csv
import mmap
import os
import shutil
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

MB = 1e6
_MIB = 1024 * 1024 / MB
_LIMITS = (Path("/sys/fs/cgroup/memory.max"), Path("/sys/fs/cgroup/memory/memory.limit_in_bytes"))
_ASK_S = 20.0


@dataclass(frozen=True, slots=True)
class Device:
    """Something that has memory. Every worker of this machine uses the same name for it."""

    name: str
    kind: str
    """The model of the device. Measurements on one device hold for others of the same kind."""
    total_mb: float


def machine() -> Device:
    """Return the machine itself, even inside a container."""
    return Device("machine", "cpu", os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") / MB)


def container_limit_mb() -> float | None:
    """Return the container's limit in MB (cgroup v2 or v1), or `None` if there is none below the machine's memory."""
    for limit in _LIMITS:
        if limit.exists() and (said := limit.read_text().strip()).isdigit():
            mb = int(said) / MB
            return mb if mb < machine().total_mb else None
    return None


def gpu(environ: Mapping[str, str]) -> Device | None:
    """Return the first NVIDIA GPU that a host in ``environ`` sees (``CUDA_VISIBLE_DEVICES``), or `None`."""
    if (tool := shutil.which("nvidia-smi")) is None:
        return None
    asked = [tool, "--query-gpu=index,uuid,name,memory.total", "--format=csv,noheader,nounits"]
    try:
        said = subprocess.run(asked, capture_output=True, text=True, check=True, timeout=_ASK_S).stdout
    except (subprocess.SubprocessError, OSError):
        return None
    rows = [[cell.strip() for cell in row] for row in csv.reader(said.splitlines()) if row]
    visible = environ.get("CUDA_VISIBLE_DEVICES")
    first = visible.split(",")[0].strip() if visible is not None else None
    for index, uuid, name, mib in rows:
        if first is None or first == index or (first and uuid.startswith(first)):
            return Device(uuid, name, float(mib) * _MIB)
    return None


def rss_mb(pid: int) -> float:
    """Return the memory that a process holds, in MB. 0 if there is no such process or the system does not say."""
    try:
        pages = Path(f"/proc/{pid}/statm").read_text().split()[1]
    except (OSError, IndexError):
        return 0.0
    return int(pages) * mmap.PAGESIZE / MB
