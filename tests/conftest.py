"""What tests of several services need: an engine family from outside."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pytest

WOBBLE = Path(__file__).parent / "engines" / "wobble"
LONG = ("tests/whole/", "tests/embedded/", "tests/gateway/test_uploads", "tests/scorer/comparison/test_planted")


def pytest_configure() -> None:
    """As many tests run at a time as there are cores: each host of theirs with one thread, not with one per core.

    Whoever starts the tests in the background may ignore Ctrl-C, and a child inherits that: ours are sent it."""
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Files of few long tests first: whoever takes one of them last keeps everybody waiting."""
    items.sort(key=lambda item: not item.nodeid.startswith(LONG))


@pytest.fixture(scope="session")
def wobble_path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder to put on the PYTHONPATH of hosts and workers: the package ringtrue-wobble, installed as any other."""
    root = tmp_path_factory.mktemp("wobble")
    source = shutil.copytree(WOBBLE, root / "source")  # a build leaves files beside its source
    target = root / "installed"
    pip = [sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    subprocess.run([*pip, "--no-deps", "--no-build-isolation", "--target", target, source], check=True, timeout=120)
    return target
