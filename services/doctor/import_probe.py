"""``python -m services.doctor.import_probe NAME…``: imports modules, in a process that may die of it.

``package/module`` is the compiled module of a package that is never imported itself; services/scorer/pyworld_f0.py
loads pyworld in this way.
"""

from __future__ import annotations

import os
import sys
from importlib import import_module
from importlib.machinery import PathFinder
from importlib.util import find_spec, module_from_spec


def load(name: str) -> None:
    """Import one module. Any error is raised."""
    package, is_inside, module = name.partition("/")
    if not is_inside:
        import_module(name)
        return
    found = find_spec(package)
    spec = found and PathFinder.find_spec(module, found.submodule_search_locations)
    if spec is None or spec.loader is None:
        raise ModuleNotFoundError(f"No module named {name!r}", name=package)
    spec.loader.exec_module(module_from_spec(spec))


if __name__ == "__main__":
    os.environ["ORT_DISABLE_TELEMETRY"] = "1"  # onnxruntime would write usage data to the disk and send it out
    for wanted in sys.argv[1:]:
        load(wanted)
