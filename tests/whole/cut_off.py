"""Runs a command that the kernel lets nowhere out of the machine: ``python cut_off.py COMMAND …``."""

from __future__ import annotations

import os
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2]))

from shared.sandbox import privileges, seccomp

if __name__ == "__main__":
    if (why := privileges.forbid_new() or seccomp.refuse_calls()) is not None:
        sys.exit(why)
    os.execv(sys.argv[1], sys.argv[1:])
