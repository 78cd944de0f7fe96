"""Which metric families there are: ours, and those that other packages name in the entry points ``ringtrue.metrics``.

Owns the look-up and its order: ours first, then the others by name. Imports the facts of a family, which are a light
module, and not its code. A family that cannot be taken is refused by name, and costs nothing else.
"""

from __future__ import annotations

import functools
from collections.abc import Mapping, Sequence
from importlib.metadata import EntryPoint, entry_points

from shared.gating.rules import COVERAGE
from shared.metrics import CER, METRICS
from shared.scores import MetricInfo

GROUP = "ringtrue.metrics"
"""An entry point of this group has the name of its family, and refers to a `MetricInfo`."""


def families() -> Mapping[str, MetricInfo]:
    """Return the facts of every family by its name, in the order in which families are measured."""
    return look_up()[0]


def refused() -> Sequence[str]:
    """Return a sentence for each family that another package names and that cannot be taken."""
    return look_up()[1]


@functools.cache
def look_up() -> tuple[Mapping[str, MetricInfo], Sequence[str]]:
    """Return `families` and `refused`. They are looked up once: packages are installed before a process starts."""
    found, sentences = dict(METRICS), []
    for package, entry in sorted((_package(entry), entry) for entry in entry_points(group=GROUP)):
        try:
            found[entry.name] = _facts(entry, found)
        except (Exception, SystemExit) as error:  # the seam: whatever the module of another package raises
            sentences.append(f"the metric family {entry.name} of {package} is refused: {type(error).__name__}: {error}")
    return found, tuple(sentences)


def _package(entry: EntryPoint) -> str:
    return f"{entry.dist.name} {entry.dist.version}" if entry.dist else "a package without a name"


def _facts(entry: EntryPoint, found: Mapping[str, MetricInfo]) -> MetricInfo:
    """Return the facts that ``entry`` refers to. Raises `ValueError` if they do not fit those that were ``found``."""
    info = entry.load()
    if not isinstance(info, MetricInfo) or info.family != entry.name:
        raise ValueError(f"{entry.value} is not the MetricInfo of a family of this name")
    if info.family in found:
        raise ValueError("there is a family of this name already")
    taken = {CER: "MLflow's runs"} | {name: family for family, other in found.items() for name in other.names}
    for name in info.names:
        if name in taken or name.startswith(COVERAGE):
            raise ValueError(f"the value {name} belongs to {taken.get(name, 'the rules of gates')} already")
    return info
