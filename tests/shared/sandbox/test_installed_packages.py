"""What a confined process may read of the folder that our packages are in: the packages of others too, if an installer
put them there (``pip install --target``); ours alone, if it is a checkout."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from shared.sandbox import landlock

OURS = Path(__file__).parents[3] / "shared"
IMPORTS = """
import subprocess, sys
from shared.sandbox.access import Access
from shared.sandbox.process import confined
argv = confined([sys.executable, "-P", "-c", "import neighbour"], Access(), {})
print(subprocess.run(argv, check=False, capture_output=True, text=True).stderr)
"""

pytestmark = pytest.mark.skipif(landlock.version() < 1, reason="the kernel closes no files")


@pytest.fixture
def packages(tmp_path: Path) -> Path:
    folder = tmp_path / "packages"
    shutil.copytree(OURS, folder / "shared", ignore=shutil.ignore_patterns("__pycache__"))
    (folder / "neighbour.py").touch()
    return folder


def said(packages: Path) -> str:
    """What a confined process says when it imports a package from beside ours."""
    done = subprocess.run(
        [sys.executable, "-P", "-c", IMPORTS],
        env={"PYTHONPATH": str(packages)}, cwd="/", check=True, capture_output=True, text=True, timeout=60,
    )  # fmt: skip
    return done.stdout.strip()


def test_a_folder_of_installed_packages_is_read(packages: Path) -> None:
    (packages / "ringtrue-1.0.0.dist-info").mkdir()
    assert said(packages) == ""


def test_of_a_checkout_only_our_packages_are_read(packages: Path) -> None:
    assert "Permission denied" in said(packages)
