"""WORLD's F0 estimators (DIO, StoneMask) as pyworld compiles them.

Knows nothing of what they are used for.
"""

from __future__ import annotations

from importlib.machinery import ExtensionFileLoader, PathFinder
from importlib.util import find_spec, module_from_spec
from typing import Any


def world() -> Any:
    """The compiled module of pyworld. The package around it cannot be imported: it asks pkg_resources, which setuptools
    no longer has, for a version number. ``FileNotFoundError`` where it is not installed."""
    package = find_spec("pyworld")
    spec = package and PathFinder.find_spec("pyworld", package.submodule_search_locations)
    if spec is None or not isinstance(spec.loader, ExtensionFileLoader):
        raise FileNotFoundError("pyworld is not installed")
    module = module_from_spec(spec)
    spec.loader.exec_module(module)
    return module
