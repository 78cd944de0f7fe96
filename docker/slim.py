"""Takes out of a folder of packages what no service runs: ``python3 slim.py FOLDER``.

That is packages' own tests, sources of compiled modules, and the symbols in those that are for debuggers. Libraries
that wheels bring along (``*.libs``) stay as they are: they were moved there by a tool, and stripping can break such a
one. Needs ``strip`` (binutils) and nothing but Python.
"""

import shutil
import subprocess
import sys
from pathlib import Path

SOURCES = frozenset({".a", ".c", ".h", ".pxd", ".pyi", ".pyx"})


def slim(packages: Path) -> None:
    for tests in sorted(packages.rglob("tests")):
        if tests.is_dir():
            shutil.rmtree(tests)
    for path in sorted(packages.rglob("*")):
        if path.suffix in SOURCES:
            path.unlink()
        elif path.suffix == ".so" and not any(part.endswith(".libs") for part in path.parts):
            subprocess.run(["strip", "--strip-unneeded", path], check=True)


if __name__ == "__main__":
    slim(Path(sys.argv[1]))
