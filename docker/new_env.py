"""Writes ``.env`` from ``.env.example`` with secrets of its own: ``python3 docker/new_env.py``.

Never over one that is there, and readable by its owner alone. Needs nothing but Python.
"""

import os
import secrets
import sys
from pathlib import Path

ROOT = Path(__file__).parents[1]
EXAMPLE = "change-me"


def fresh(line: str) -> str:
    """A line of the example, with a secret in place of ``change-me``."""
    name, is_setting, value = line.partition("=")
    if line.startswith("#") or not is_setting or EXAMPLE not in value:
        return line
    if name == "RINGTRUE_API_KEY":
        return f"{name}=rt_{secrets.token_hex(6)}_{secrets.token_urlsafe(32)}"
    return f"{name}={secrets.token_hex(24)}"


def main() -> int:
    lines = (ROOT / ".env.example").read_text().splitlines()
    try:
        descriptor = os.open(ROOT / ".env", os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        print(".env is there already; nothing was changed", file=sys.stderr)
        return 1
    with open(descriptor, "w") as file:
        file.writelines(f"{fresh(line)}\n" for line in lines)
    return 0


if __name__ == "__main__":
    sys.exit(main())
