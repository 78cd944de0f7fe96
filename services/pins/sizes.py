"""Sizes for people, in decimal units, as disks and hubs use them."""

from __future__ import annotations

_STEP = 1000


def bytes_said(count: float) -> str:
    """Return a size such as ``1.2 GB``, ``34 MB``, ``512 bytes``."""
    if count < _STEP:
        return f"{count:.0f} bytes"
    for unit in ("kB", "MB", "GB"):
        count /= _STEP
        if count < _STEP:
            return f"{count:.{1 if count < 10 else 0}f} {unit}"
    return f"{count / _STEP:.1f} TB"
