"""Bytes as people write them."""

from __future__ import annotations


def size(count: int) -> str:
    """Return a size such as ``12 MiB`` or ``1.5 GiB``."""
    for unit, width in (("TiB", 40), ("GiB", 30)):
        if count >= 1 << width:
            return f"{count / (1 << width):.1f} {unit}"
    return f"{count >> 20} MiB"
