"""Ends with 0 where every secret in the environment is one, else says which is not: ``check_secrets.py NAME …``.

Every other container of the deployment waits for it. Needs nothing but Python.
"""

import os
import sys
from collections.abc import Mapping, Sequence

EXAMPLE = "change-me"
SHORTEST = 16
EX_CONFIG = 78


def faults(names: Sequence[str], environ: Mapping[str, str]) -> list[str]:
    """A line per secret that is missing, the example's, too short, of characters that a URL would need quoted, or the
    same as another."""
    found, seen = [], {}
    for name in names:
        value = environ.get(name, "")
        if not value:
            found.append(f"{name} is not set")
        elif EXAMPLE in value:
            found.append(f"{name} is the one of .env.example")
        elif len(value) < SHORTEST:
            found.append(f"{name} is shorter than {SHORTEST} characters")
        elif not value.isascii() or not value.replace("-", "").replace("_", "").replace(".", "").isalnum():
            found.append(f"{name}: letters, digits and . _ - are taken, for it stands in a URL")
        elif value in seen:
            found.append(f"{name} is the same as {seen[value]}")
        seen.setdefault(value, name)
    return found


if __name__ == "__main__":
    lines = faults(sys.argv[1:], os.environ)
    for line in lines:
        print(f"{line}: python3 docker/new_env.py makes a .env with secrets of its own", file=sys.stderr)
    sys.exit(EX_CONFIG if lines else 0)
