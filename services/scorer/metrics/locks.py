"""The lock of a metric: the record of what its values depend on.

Owns the form of a scorer's lock: hashes of weights, versions of libraries, parameters. Knows no metric.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Any


def file_sha256(path: Path) -> str:
    """Return the SHA-256 of a file. Raises `FileNotFoundError` if it is missing."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def folder_sha256(folder: Path) -> str:
    """Return a SHA-256 over the names and hashes of all files below ``folder``."""
    lines = (f"{file_sha256(p)} {p.relative_to(folder).as_posix()}\n" for p in folder.rglob("*") if p.is_file())
    return hashlib.sha256("".join(sorted(lines)).encode()).hexdigest()


def scorer_lock(
    family: str,
    *,
    revision: int,
    weights: Mapping[str, str] | None = None,
    packages: Sequence[str] = (),
    parameters: Mapping[str, Any] | None = None,
) -> dict[str, Any]:
    """Return the lock of one metric.

    ``revision``: of this project's code, raised by hand when its values change. ``weights``: SHA-256 by file name.
    ``packages``: distributions whose version can change a value.
    """
    return {
        "family": family,
        "revision": revision,
        "weights": dict(weights or {}),
        "packages": {name: version(name) for name in packages},
        "parameters": dict(parameters or {}),
    }
