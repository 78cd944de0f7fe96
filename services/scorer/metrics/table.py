"""The table of metric families that a host measures: a module with a function ``families()``.

Knows no model library: reading a table is cheap. The code of a family is a string that the host imports on demand.
"""

from __future__ import annotations

from collections.abc import Mapping
from importlib import import_module
from typing import cast

from shared.scores import MetricInfo

TABLE = "shared.metric_families"
"""All families: ours and those of other packages. Tests name a module of their own."""


def families_of(table: str) -> Mapping[str, MetricInfo]:
    """Return the families of the module named ``table``, in the order in which they are measured."""
    return cast("Mapping[str, MetricInfo]", import_module(table).families())
