"""How much of a partly arrived file is kept."""

from __future__ import annotations

from pathlib import Path

from shared.weights.hashing import OnBytes


def bytes_to_keep(into: Path, size: int, on_bytes: OnBytes) -> int:
    """Return the number of bytes that are there. If there are more than ``size``, the file is emptied and 0
    returned."""
    try:
        there = into.stat().st_size
    except FileNotFoundError:
        return 0
    if there <= size:
        return there
    discard(into, there, on_bytes)
    return 0


def discard(into: Path, there: int, on_bytes: OnBytes) -> None:
    """Throw away what has arrived."""
    into.write_bytes(b"")
    on_bytes(-there)
