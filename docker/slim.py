"""Takes out of a folder of packages what no service runs: ``python3 slim.py FOLDER``.

That is packages' own tests, sources of compiled modules, the symbols in those that are for debuggers, and parts that
serve a command line, a build or another database. Libraries
that wheels bring along (``*.libs``) stay as they are: they were moved there by a tool, and stripping can break such a
one. Needs ``strip`` (binutils) and nothing but Python.
"""

import shutil
import subprocess
import sys
from pathlib import Path

SOURCES = frozenset({".a", ".c", ".h", ".pxd", ".pyi", ".pyx"})

UNUSED = (
    "click_repl",  # these three: the prompt of Celery's command line
    "prompt_toolkit",
    "wcwidth",
    "numpy/distutils",
    "numpy/f2py",
    "numpy/random",
    "sqlalchemy/dialects/mssql",
    "sqlalchemy/dialects/mysql",
    "sqlalchemy/dialects/oracle",
    "sqlalchemy/testing",
)
"""Folders that no code of a service imports."""


def slim(packages: Path) -> None:
    for tests in sorted(packages.rglob("tests")):
        if tests.is_dir():
            shutil.rmtree(tests)
    for folder in UNUSED:
        shutil.rmtree(packages / folder)
    for path in sorted(packages.rglob("*")):
        if path.suffix in SOURCES:
            path.unlink()
        elif path.suffix == ".so" and not any(part.endswith(".libs") for part in path.parts):
            subprocess.run(["strip", "--strip-unneeded", path], check=True)


if __name__ == "__main__":
    slim(Path(sys.argv[1]))
