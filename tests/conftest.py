"""What tests of several services need: an engine family and a metric from outside."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests import other_packages
from tests.small_disk import NoSmallDisk, mounted

LONG = (
    "tests/whole/",
    "tests/client/test_foreign_folder",
    "tests/client/test_formats",
    "tests/client/test_hostile_gateway",
    "tests/client/test_streams",
    "tests/compose/",
    "tests/doctor/test_broken",
    "tests/doctor/test_healthy",
    "tests/embedded/test_full_stack",
    "tests/embedded/test_starter",
    "tests/gateway/test_gateway_process",
    "tests/gateway/test_key_commands",
    "tests/gateway/test_schema_fuzzing",
    "tests/gateway/test_server_limits",
    "tests/gateway/test_uploads_under_fire",
    "tests/gateway/test_voices_as_they_arrive",
    "tests/pins/test_package_pins",
    "tests/pins/test_pull_killed",
    "tests/pins/test_starter_published",
    "tests/scorer/comparison/test_planted_truths",
    "tests/scorer/metrics/test_reference_scores",
    "tests/scorer/metrics/test_whisper_base",
    "tests/scorer/tracking/test_deleted_in_mlflow",
    "tests/shared/store/test_store_study_plans",
    "tests/shared/test_consumer",
    "tests/shared/test_private_folder",
    "tests/worker/certify/test_certified_weights",
    "tests/worker/certify/test_certify_commands",
    "tests/worker/certify/test_conditions",
    "tests/worker/certify/test_log_mel",
    "tests/worker/engines/test_indextts2.py",
    "tests/worker/engines/test_kokoro_weights",
    "tests/worker/engines/test_transformers_",
    "tests/worker/test_catalog_pins",
    "tests/worker/test_engine_commands",
    "tests/worker/test_foreign_python",
    "tests/worker/test_job_mix",
    "tests/worker/test_loader",
)
"""Files that take three quarters of the time: whole deployments that are killed, neural voices, generated inputs. They
have the marker ``long``, which ``make test`` leaves out and ``make test-all`` does not."""


def pytest_configure() -> None:
    """As many tests run at a time as there are cores: each host of theirs with one thread, not with one per core.

    Whoever starts the tests in the background may ignore Ctrl-C, and a child inherits that: ours are sent it."""
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark the long files and put them first: whoever takes one of them last keeps everybody waiting."""
    for item in items:
        if item.nodeid.startswith(LONG):
            item.add_marker("long")
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
