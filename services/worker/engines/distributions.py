"""What an installer wrote down of a package in this Python, read without importing the package: that takes seconds.

Knows no engine and no package.
"""

from __future__ import annotations

import json
from contextlib import suppress
from importlib.metadata import Distribution, PackageNotFoundError, distribution


def installed(name: str) -> Distribution | None:
    """The distribution of that name; ``None`` where there is none."""
    with suppress(PackageNotFoundError):
        return distribution(name)
    return None


def commit_of(found: Distribution | None) -> str | None:
    """The commit that it was installed from, where the installer wrote that down (PEP 610)."""
    origin = json.loads((found and found.read_text("direct_url.json")) or "{}")
    commit: str | None = origin.get("vcs_info", {}).get("commit_id")
    return commit
