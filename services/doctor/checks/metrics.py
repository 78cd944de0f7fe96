"""Checks whether the metric families that other packages bring are taken."""

from __future__ import annotations

from collections.abc import Iterator

from services.doctor.findings import Finding, ok, warn
from shared.metric_families import families, refused


def metrics() -> Iterator[Finding]:
    """Check the metric families. Importing the facts of another package may raise anything, which `refused` tells."""
    yield from (warn(sentence, "mend or uninstall that package") for sentence in refused())
    if not refused():
        yield ok(f"there are {', '.join(families())}")
