"""Which engine families are installed, by the entry point group ``ringtrue.engines``.

Owns the look-up. ``installed()`` reads package metadata and imports no engine code, so that a family that cannot be
imported does not hide the others. ``python -m services.worker.engines.families`` prints the list as JSON for a parent
that may have other packages than the engines do.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from dataclasses import asdict, dataclass
from importlib import import_module
from typing import cast

from services.worker.engines.base import EngineFamily

GROUP = "ringtrue.engines"


@dataclass(frozen=True, slots=True)
class Installed:
    """One engine family and the package that brings it."""

    name: str
    reference: str
    """``module:attribute`` of the family's class."""
    distribution: str
    version: str


def installed() -> tuple[Installed, ...]:
    """Return every family, sorted by name. If two have the same name, the first on the path counts, as with modules."""
    from importlib.metadata import entry_points  # takes 40 ms, which a host that was told its family need not spend

    found: dict[str, Installed] = {}
    for entry in entry_points(group=GROUP):
        distribution, version = (entry.dist.name, entry.dist.version) if entry.dist else ("", "")
        found.setdefault(entry.name, Installed(entry.name, entry.value, distribution, version))
    return tuple(found[name] for name in sorted(found))


def family(reference: str) -> EngineFamily:
    """Return the family at ``module:attribute``. Raises what its import raises."""
    module, _, attribute = reference.partition(":")
    return cast(Callable[[], EngineFamily], getattr(import_module(module), attribute))()


def family_of(pin: str) -> EngineFamily:
    """Return the installed family that brings ``pin``. Raises `KeyError` if there is none."""
    for candidate in installed():
        built = family(candidate.reference)
        if pin in built.pins():
            return built
    raise KeyError(pin)


if __name__ == "__main__":
    json.dump([asdict(one) for one in installed()], sys.stdout)
