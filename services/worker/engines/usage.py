"""How much memory this process holds, on the machine and on its GPU: reported by a host with its answers.

Owns the ways to measure. A GPU is asked through torch, and only if the engine has loaded torch and used a GPU: this
module does not import torch.
"""

from __future__ import annotations

import contextlib
import sys
from pathlib import Path
from typing import Any

_STATUS = Path("/proc/self/status")
_FORGET_PEAK = "5"
"""Writing this to clear_refs sets VmHWM back to VmRSS (proc(5))."""
MB = 1e6


def forget_peaks() -> None:
    """Start new peaks from here, if the system supports it."""
    # then peaks are those of the whole life of the process: too high rather than too low
    with contextlib.suppress(OSError):
        Path("/proc/self/clear_refs").write_text(_FORGET_PEAK)
    if (cuda := _cuda()) is not None:
        cuda.reset_peak_memory_stats()


def report() -> dict[str, float]:
    """Return ``rss_mb`` and ``peak_rss_mb``; if a GPU is used, also ``vram_mb`` and ``peak_vram_mb``. In MB (1e6
    bytes)."""
    said = {"rss_mb": rss_mb(), "peak_rss_mb": peak_rss_mb()}
    if (cuda := _cuda()) is not None:
        said |= {"vram_mb": cuda.memory_reserved() / MB, "peak_vram_mb": cuda.max_memory_reserved() / MB}
    return said


def keep_below(vram_mb: float) -> None:
    """Let torch's allocator take at most ``vram_mb`` MB on the current GPU. A request beyond that is out of memory."""
    if (cuda := _cuda()) is not None:
        total = cuda.get_device_properties(cuda.current_device()).total_memory / MB
        cuda.set_per_process_memory_fraction(min(1.0, vram_mb / total))


def release_cache() -> None:
    """Give back what torch's allocator keeps for later."""
    if (cuda := _cuda()) is not None:
        cuda.empty_cache()


def peak_rss_mb() -> float:
    """Return the most memory, in MB, that this process has held since its peak was reset. 0 if the system does not
    say."""
    if _STATUS.exists():  # on Linux, ru_maxrss includes the parent's memory from before exec
        return _status("VmHWM:")
    try:
        import resource
    except ImportError:  # Windows
        return 0.0
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak / MB if sys.platform == "darwin" else peak * 1024 / MB


def rss_mb() -> float:
    """Return the memory in MB that this process holds. If the system does not say, the most that it has held."""
    return _status("VmRSS:") if _STATUS.exists() else peak_rss_mb()


def _status(name: str) -> float:
    kilobytes = next(line.split()[1] for line in _STATUS.read_text().splitlines() if line.startswith(name))
    return int(kilobytes) * 1024 / MB


def _cuda() -> Any:
    torch = sys.modules.get("torch")
    cuda = getattr(torch, "cuda", None)
    return cuda if cuda is not None and cuda.is_initialized() else None
