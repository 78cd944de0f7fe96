"""What tests of several services need: an engine family and a metric from outside."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests import other_packages
from tests.small_disk import NoSmallDisk, mounted

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
    return other_packages.installed_in(tmp_path_factory.mktemp("wobble"), other_packages.WOBBLE)


@pytest.fixture(scope="session")
def loudness_range_path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Likewise for gateways and scorers: the package ringtrue-loudness-range."""
    return other_packages.installed_in(tmp_path_factory.mktemp("loudness_range"), other_packages.LOUDNESS_RANGE)


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """An empty disk of 1 MiB."""
    try:
        with mounted(tmp_path / "small-disk", 1024) as folder:
            yield folder
    except NoSmallDisk as error:
        pytest.skip(f"no disk can be mounted here: {error}")
