"""The weights of DistillMOS as its authors publish them, where the package can be had."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from services.scorer.metrics.instruments import Instruments

EXAMPLES = Path(__file__).parents[3] / "examples"


def pulled(folder: Path) -> Instruments:
    """Pull the pin of the examples into ``folder``, as a user does. Skips the test if it cannot be had."""
    for name in ("catalog.toml", "catalog.lock"):
        shutil.copy(EXAMPLES / name, folder)
    models = folder / "models"
    environ = {**os.environ, "RINGTRUE_CATALOG": str(folder / "catalog.toml"), "RINGTRUE_MODELS": str(models)}
    command = [sys.executable, "-m", "ringtrue", "models", "pull", "distillmos"]
    done = subprocess.run(command, env=environ, capture_output=True, text=True, timeout=300, check=False)
    if done.returncode != 0:
        pytest.skip(f"the package distillmos cannot be pulled: {done.stderr.strip()[-300:]}")
    return Instruments(models, lock_file=folder / "catalog.lock")
