"""The engine family of tests/engines/wobble, installed as any other package."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

SOURCE = Path(__file__).parent / "engines" / "wobble"


def installed_in(root: Path) -> Path:
    """A folder to put on the PYTHONPATH of hosts and workers."""
    source = shutil.copytree(SOURCE, root / "source")  # a build leaves files beside its source
    target = root / "installed"
    pip = [sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    subprocess.run([*pip, "--no-deps", "--no-build-isolation", "--target", target, source], check=True, timeout=120)
    return target
