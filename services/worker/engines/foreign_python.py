"""Start an engine host in its family's own Python: ``/other/python -I foreign_python.py --family module:attribute …``.

Owns how the worker's code is found there: its packages ``services`` and ``shared``, and nothing else of the worker's
environment. So there is no second copy that could have another version. This module, and what a host imports, must run
on Python 3.10. Knows no family.
"""

from __future__ import annotations

import enum
import os
import sys
from contextlib import suppress
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path

ROOT = Path(__file__).resolve().parents[3]
PACKAGES = ("services", "shared")
OLDEST = (3, 10)


class StrEnum(str, enum.Enum):  # noqa: UP042 (the stand-in for what that asks for)
    """A replacement for Python 3.11's ``StrEnum``, as far as the host uses it."""

    __str__ = str.__str__
    __format__ = str.__format__  # type: ignore[assignment]


def main() -> None:
    """Run the host that the command line asks for."""
    if sys.version_info[:2] < OLDEST:
        sys.exit("an engine host needs Python {}.{}; this is {}.{}".format(*OLDEST, *sys.version_info[:2]))
    if not sys.flags.isolated:  # else modules beside this file, such as requests, would hide packages of the same name
        sys.exit("start it with -I")
    if not hasattr(enum, "StrEnum"):
        enum.StrEnum = StrEnum  # type: ignore[misc, assignment]
    for name in PACKAGES:
        _bring(name)
    _hold()
    from services.worker.engines import host

    host.main()


def _bring(name: str) -> None:
    """Import the worker's own package from its folder. Its modules are then found by its path, as usual."""
    folder = ROOT / name
    spec = spec_from_file_location(name, folder / "__init__.py", submodule_search_locations=[str(folder)])
    assert spec is not None
    assert spec.loader is not None
    module = module_from_spec(spec)
    sys.modules[name] = module
    spec.loader.exec_module(module)


def _hold() -> None:
    """Hold a shared lock on this environment while this process lives, so that removing it shows that it is in use."""
    with suppress(ImportError, OSError):
        import fcntl  # Windows has no fcntl; there the system keeps open files from being removed

        fcntl.flock(os.open(Path(sys.prefix, "pyvenv.cfg"), os.O_RDONLY), fcntl.LOCK_SH | fcntl.LOCK_NB)


if __name__ == "__main__":
    main()
