"""Pins that are broken, of each kind: the right line, what to do, and exit code 1 where something does not run."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.doctor.breakages import (
    PIN,
    catalog,
    locked,
    pulled,
)
from tests.doctor.patient import examined, says_fail, says_warn

ABI = "numpy.dtype size changed, may indicate binary incompatibility. Expected 96 from C header, got 88 from PyObject"


@pytest.fixture
def data(tmp_path: Path) -> Path:
    return tmp_path / "data"


# pins


def test_a_catalog_with_a_syntax_error(data: Path) -> None:
    data.mkdir()
    (data / "catalog.toml").write_text("schema = 1\n[pins\n")
    says_fail(examined(data, "locks"), "locks", "catalog.toml cannot be read: Expected ']'", "correct the file")


def test_a_lock_that_was_edited(data: Path) -> None:
    catalog(data)
    locked(data)
    file = data / "catalog.lock"
    file.write_text(file.read_text().replace("model.safetensors", "other.safetensors"))
    says_fail(
        examined(data, "locks"),
        "locks",
        f"pin {PIN}: a member is missing or null, or lock_sha256 is not that of the lock",
        "correct the file",
    )


def test_a_pin_that_is_not_locked(data: Path) -> None:
    catalog(data)
    says_fail(examined(data, "locks"), "locks", f"{PIN} is not locked", f"ringtrue models lock {PIN}")


def test_a_pin_that_is_not_pulled(data: Path) -> None:
    catalog(data)
    locked(data)
    diagnosis = examined(data, "locks")
    says_fail(diagnosis, "locks", "model.safetensors is missing", f"ringtrue models pull {PIN}")


def test_a_pin_whose_bytes_were_altered(data: Path) -> None:
    catalog(data)
    blob = pulled(data, locked(data))
    blob.chmod(0o644)
    blob.write_bytes(b"abd")
    says_fail(examined(data, "locks"), "locks", "model.safetensors has sha256", f"ringtrue models verify {PIN}")


def test_a_pin_with_a_file_too_many(data: Path) -> None:
    catalog(data)
    lock = locked(data)
    pulled(data, lock)
    (next((data / "models" / "snapshots").iterdir()) / "extra.py").write_text("")
    says_fail(examined(data, "locks"), "locks", "extra.py is not in the lock", f"ringtrue models verify {PIN}")


def test_a_catalog_that_went_on_without_its_lock(data: Path) -> None:
    catalog(data, engine="sambert")
    pulled(data, locked(data))
    diagnosis = examined(data, "locks")
    says_warn(diagnosis, "locks", f"{PIN} is locked with another engine", f"ringtrue models lock {PIN}")


def test_a_pin_that_nobody_described(data: Path) -> None:
    diagnosis = examined(data, "locks", options=("--pin", "tiny-v32"))
    says_warn(diagnosis, "locks", "tiny-v32 is not in the catalog", "correct the name")
