"""The version of an installed package, as the name of its record on the path says it: ``NAME-VERSION.dist-info``.

Owns the fast way: to import importlib.metadata takes longer than all that an engine host does before it can speak, and
a host starts for every pin. What has no such folder is asked of importlib.metadata.
"""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Iterator

_RECORD = ".dist-info"


def version_of(distribution: str) -> str | None:
    """Return the version of the distribution of this name, the first on the path; ``None`` if it is not installed."""
    wanted = _normal(distribution)
    for name, version in _records():
        if _normal(name) == wanted:
            return version
    from importlib.metadata import PackageNotFoundError
    from importlib.metadata import version as recorded

    try:
        return recorded(distribution)
    except PackageNotFoundError:
        return None


def _records() -> Iterator[tuple[str, str]]:
    for folder in sys.path:
        try:
            entries = sorted(os.listdir(folder or "."))
        except OSError:  # a zip archive, or a folder that is not there
            continue
        for entry in entries:
            name, dash, version = entry.removesuffix(_RECORD).partition("-")
            if dash and entry.endswith(_RECORD):
                yield name, version


def _normal(name: str) -> str:
    """The name as PEP 503 compares it."""
    return re.sub(r"[-_.]+", "-", name).lower()
