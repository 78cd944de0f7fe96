"""``python -m services.doctor.import_probe NAME…``: import these, in a process that may die of it.

``package/module`` is the compiled module of a package that itself is never imported (services/scorer/world.py does that
with pyworld).
"""

from __future__ import annotations

import sys
from importlib import import_module
from importlib.machinery import PathFinder
from importlib.util import find_spec, module_from_spec


def load(name: str) -> None:
    """Import one. Whatever goes wrong is raised."""
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
    for wanted in sys.argv[1:]:
        load(wanted)
