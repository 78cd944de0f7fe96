"""The packages in tests/ that are not ours, installed as any other package."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

WOBBLE = Path(__file__).parent / "engines" / "wobble"
LOUDNESS_RANGE = Path(__file__).parent / "metrics" / "loudness_range"


def installed_in(root: Path, package: Path) -> Path:
    """A folder to put on the PYTHONPATH of services and hosts."""
    source = shutil.copytree(package, root / "source")  # a build leaves files beside its source
    target = root / "installed"
    pip = [sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    subprocess.run([*pip, "--no-deps", "--no-build-isolation", "--target", target, source], check=True, timeout=120)
    return target
