"""Compares the memory that this process may use with the pins to be served.

A pin needs more than the size of its files; its real need is measured when it is loaded. Less than that size is
certainly too little.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Mapping
from pathlib import Path

from services.doctor.checks.gpu import Ask, cards
from services.doctor.children import NoAnswer, ask
from services.doctor.findings import Finding, fail, ok, warn
from services.doctor.sizes import size

_LITTLE = 2 << 30
"""A host with all default metrics holds 0.8 GiB; gateway, worker, Redis and MLflow need room as well."""


def memory(pins: Mapping[str, int], root: Path = Path("/"), asked: Ask = ask) -> Iterator[Finding]:
    """Check the memory. ``pins``: bytes of each pin's files, by its name."""
    ram = memory_here(root)
    with contextlib.suppress(NoAnswer):
        graphics = max((card.memory for card in cards(asked)), default=0)
    place, where = (graphics, "of graphics memory") if graphics else (ram, "of memory")
    there = f"{size(place)} {where}"
    too_large = {name: needed for name, needed in pins.items() if needed > place}
    for name, needed in too_large.items():
        yield fail(f"{name} needs at least {size(needed)}, but there are {there}", "serve it on a larger machine")
    if ram < _LITTLE:
        yield warn(f"only {size(ram)} of memory", "run the scorer on another machine")
    elif not too_large and sum(pins.values()) > place:
        yield warn(
            f"the pins need {size(sum(pins.values()))} together, but there are {there}",
            "they are loaded in turns; if that is too slow, give each worker its own pins (--pin)",
        )
    elif not too_large:
        largest = f"; the largest pin has {size(max(pins.values()))}" if pins else ""
        yield ok(f"{there}{largest}")


def memory_here(root: Path = Path("/")) -> int:
    """Return the bytes that this process and its children may use: the machine's, or less if a container has less."""
    for line in (root / "proc/meminfo").read_text().splitlines():
        if line.startswith("MemTotal:"):
            return min([int(line.split()[1]) << 10, *_limits(root)])
    raise ValueError("/proc/meminfo has no MemTotal")


def _limits(root: Path) -> Iterator[int]:
    """Yield the limit of every control group of this process.

    Inside a container the root's files are those of the container.
    """
    groups = root / "sys/fs/cgroup"
    files = [groups / "memory.max", groups / "memory/memory.limit_in_bytes"]
    with contextlib.suppress(OSError):
        for line in (root / "proc/self/cgroup").read_text().splitlines():
            _, controllers, path = line.split(":", 2)
            within = Path(path.lstrip("/"))
            if controllers == "":
                files += [groups / above / "memory.max" for above in (within, *within.parents)]
            elif "memory" in controllers.split(","):
                files.append(groups / "memory" / within / "memory.limit_in_bytes")
    for file in files:
        with contextlib.suppress(OSError, ValueError):  # ValueError: "max"
            yield int(file.read_text())
