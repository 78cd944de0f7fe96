"""What is installed in this Python: versions, as the names of records on the path say them: ``NAME-VERSION.dist-info``.

Owns the fast way: to import importlib.metadata takes 15 ms, for which every start of an engine host would wait. It is
asked only for what has no such folder.
"""

from __future__ import annotations

import os
import platform
import re
import sys
from collections.abc import Iterator, Sequence
from typing import Any

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


def interpreter(libraries: Sequence[str] = ()) -> dict[str, Any]:
    """Return the part of the record that differs between two Pythons of one machine, and between two engines in one.

    ``libraries``: distribution names; the versions of those that are installed are included.
    """
    found = {name: version for name in libraries if (version := version_of(name)) is not None}
    return {"python": platform.python_version(), "cuda": _cuda(), "libraries": found}


def _records() -> Iterator[tuple[str, str]]:
    for folder in sys.path:
        try:
            records = [entry for entry in os.listdir(folder or ".") if entry.endswith(_RECORD)]
        except OSError:  # a zip archive, or a folder that is not there
            continue
        for record in sorted(records):
            name, _, version = record.removesuffix(_RECORD).partition("-")
            yield name, version


def _normal(name: str) -> str:
    """The name as PEP 503 compares it."""
    return re.sub(r"[-_.]+", "-", name).lower()


def _cuda() -> str | None:
    """Return the CUDA version that the installed torch was built for.

    It is in the local part of torch's version (``2.13.0+cu130``).
    """
    _, _, build = (version_of("torch") or "").partition("+")
    return build if build.startswith("cu") else None
