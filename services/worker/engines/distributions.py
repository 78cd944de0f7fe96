"""What an installer recorded about a package in this Python, read without importing the package (which takes seconds).

Knows no engine and no package.
"""

from __future__ import annotations

import json
from contextlib import suppress
from importlib.metadata import Distribution, PackageNotFoundError, distribution


def installed(name: str) -> Distribution | None:
    """Return the distribution of that name, or ``None``."""
    with suppress(PackageNotFoundError):
        return distribution(name)
    return None


def commit_of(found: Distribution | None) -> str | None:
    """Return the commit that it was installed from, if the installer recorded it (PEP 610), or ``None``."""
    origin = json.loads((found and found.read_text("direct_url.json")) or "{}")
    commit: str | None = origin.get("vcs_info", {}).get("commit_id")
    return commit
