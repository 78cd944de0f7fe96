"""A shop of jobs per test."""

from __future__ import annotations

from pathlib import Path

import pytest

from shared.blobs.folder import FolderBlobs
from tests.scorer.tracking.tracked_jobs import Shop


@pytest.fixture
def shop(tmp_path: Path) -> Shop:
    return Shop(FolderBlobs(tmp_path / "blobs"))
