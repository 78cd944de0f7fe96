"""The deployment that the tests of a running one share: built and brought up once, where it is asked for."""

from __future__ import annotations

import os
import shutil
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from demo.deployment import wait_until_well
from tests.compose.place import Place


@pytest.fixture(scope="session")
def place(tmp_path_factory: pytest.TempPathFactory, wobble_path: Path) -> Iterator[Place]:
    if not os.environ.get("RINGTRUE_TEST_IMAGES"):
        pytest.skip("RINGTRUE_TEST_IMAGES=1 builds and runs the images")
    if (
        shutil.which("docker") is None
        or subprocess.run(["docker", "info"], capture_output=True, check=False).returncode
    ):
        pytest.skip("no Docker engine answers")
    place = Place(tmp_path_factory.mktemp("live"), wobble_path)
    try:
        place.compose.run("build")
        began = time.monotonic()
        place.compose.run("up", "--detach")
        wait_until_well(place.compose)
        print(f"up and well in {time.monotonic() - began:.0f} s")
        yield place
    finally:
        place.compose.run("down", "--volumes")
        place.close()
