"""Prints what extras of pyproject.toml ask for, one requirement per line: ``python3 extras.py EXTRA …``.

For images: what an extra needs is installed before our own code is there. Needs nothing but Python.
"""

import sys
import tomllib
from pathlib import Path


def wanted(extras: dict[str, list[str]], name: str) -> set[str]:
    """The requirements of one extra, those of the extras that it names in its turn included."""
    found: set[str] = set()
    for requirement in extras[name]:
        if requirement.startswith("ringtrue["):
            for other in requirement.removeprefix("ringtrue[").removesuffix("]").split(","):
                found |= wanted(extras, other)
        else:
            found.add(requirement)
    return found


if __name__ == "__main__":
    project = tomllib.loads(Path("pyproject.toml").read_text())["project"]
    for name in sorted(set().union(*(wanted(project["optional-dependencies"], extra) for extra in sys.argv[1:]))):
        print(name)
