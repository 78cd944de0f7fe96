"""Pins of the example catalog with their published files, where the packages can be had."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

EXAMPLES = Path(__file__).parents[1] / "examples"
PULL_S = 240


def pulled_example(pin: str, data: Path) -> tuple[Path, Path]:
    """Pull a pin of the examples as a user does, with ``data`` as data folder. Return the folder of weights and the
    lock. Skips the test if the packages cannot be had."""
    data.chmod(0o700)
    for name in ("catalog.toml", "catalog.lock"):
        shutil.copy(EXAMPLES / name, data)
    pulled_or_skipped(pin, data)
    return data / "models", data / "catalog.lock"


def pulled_or_skipped(name: str, data: Path) -> subprocess.CompletedProcess[str]:
    """`ringtrue models pull NAME` with ``data`` as data folder. Skips the test if the packages cannot be had."""
    try:
        done = subprocess.run(
            pull_command(name), env=settings_of(data), capture_output=True, text=True, timeout=PULL_S, check=False
        )
    except subprocess.TimeoutExpired:
        pytest.skip(f"the packages of {name} did not come within {PULL_S} s")
    if done.returncode:
        pytest.skip(f"the packages of {name} cannot be had: {(done.stderr.strip().splitlines() or ['?'])[-1]}")
    return done


def pull_command(name: str) -> list[str]:
    return [sys.executable, "-m", "ringtrue", "models", "pull", name]


def settings_of(data: Path) -> dict[str, str]:
    """The environment of a user who has set the data folder alone."""
    environ = {name: value for name, value in os.environ.items() if not name.startswith("RINGTRUE_")}
    return {**environ, "RINGTRUE_DATA": str(data), "PIP_RETRIES": "0"}
