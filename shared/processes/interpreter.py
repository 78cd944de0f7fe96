"""How our Python processes are started.

Owns the rule that none of them imports a module from its current folder: a ``redis.py`` there is somebody's file, not
the library. Knows none of the processes.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping, Sequence


def run_module(name: str) -> Sequence[str]:
    """Return the start of the command line that runs the module ``name`` with this Python."""
    return (sys.executable, "-P", "-m", name)


def safe_environment(environ: Mapping[str, str]) -> dict[str, str]:
    """Return ``environ`` such that no Python started with it imports modules from its current folder."""
    safe = {**environ, "PYTHONSAFEPATH": "1"}
    if "PYTHONPATH" in environ:
        # An empty or relative entry also means that folder. PYTHONPATH=$PYTHONPATH:/mine produces an empty one.
        entries = [entry for entry in environ["PYTHONPATH"].split(os.pathsep) if os.path.isabs(entry)]
        safe["PYTHONPATH"] = os.pathsep.join(entries)
    return safe
