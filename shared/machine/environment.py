"""The environment record: a description of the machine and software that something was spoken with.

Owns which facts are in it (facts of the machine, versions of libraries, our own commit). Imports none of the libraries.
"""

from __future__ import annotations

import hashlib
import platform
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from shared.catalog import canonical_json
from shared.machine.installed_packages import interpreter, version_of

_CPU_FLAGS = ("avx", "avx2", "avx512f", "avx512_vnni", "amx_tile", "fma", "asimd", "sve")


def describe(*, precision: str = "float32") -> dict[str, Any]:
    """Return the environment record of this machine and interpreter. Engine hosts add the libraries that they use."""
    gpu = _gpu()
    return {
        "os": platform.system(),
        "os_release": platform.release(),
        "libc": " ".join(platform.libc_ver()),
        "architecture": platform.machine(),
        "cpu": _cpu_model(),
        "cpu_flags": _cpu_flags(),
        "gpu": gpu.get("name"),
        "driver": gpu.get("driver"),
        "precision": precision,
        **interpreter(),
        "ringtrue": version_of("ringtrue"),
        "commit": _commit(),
    }


def environment_id(environment: Mapping[str, Any]) -> str:
    """Return a short id; equal records have equal ids."""
    return hashlib.sha256(canonical_json(environment)).hexdigest()[:16]


def comparable(environment: Mapping[str, Any]) -> dict[str, Any]:
    """Return the part of the record that can change a result. Two results can be compared only if it is equal."""
    device = environment.get("gpu") or environment.get("architecture")
    return {"device": device, "cuda": environment.get("cuda"), "precision": environment.get("precision")}


def _cpuinfo(*keys: str) -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return ""
    for line in lines:
        name, _, value = line.partition(":")
        if name.strip() in keys:
            return value.strip()
    return ""


def _cpu_model() -> str:
    return _cpuinfo("model name", "Model") or platform.processor()


def _cpu_flags() -> list[str]:
    present = set(_cpuinfo("flags", "Features").split())
    return [flag for flag in _CPU_FLAGS if flag in present]


def _gpu() -> dict[str, str]:
    if sys.platform == "linux" and not Path("/proc/driver/nvidia/version").exists():
        return {}
    query = ["nvidia-smi", "--query-gpu=name,driver_version", "--format=csv,noheader"]
    try:
        first = subprocess.run(query, capture_output=True, text=True, timeout=10, check=True).stdout.splitlines()[0]
    except (OSError, subprocess.SubprocessError, IndexError):
        return {}
    name, _, driver = first.partition(", ")
    return {"name": name, "driver": driver}


def _commit() -> str | None:
    root = Path(__file__).parents[2]
    if not (root / ".git").exists():
        return None
    try:
        command = ["git", "-C", str(root), "rev-parse", "HEAD"]
        return subprocess.run(command, capture_output=True, text=True, timeout=5, check=True).stdout.strip()
    except (OSError, subprocess.SubprocessError):
        return None
