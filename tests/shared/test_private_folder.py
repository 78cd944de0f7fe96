"""The data folder is for its user alone, whoever comes first; what is shared on purpose stays shared."""

from __future__ import annotations

import os
import stat
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.strangers import NOBODY, needs_a_second_user

pytestmark = pytest.mark.timeout(240)

FIRST = {
    "keys": ["ringtrue", "keys", "create", "ann"],
    "lock": ["ringtrue", "models", "lock", "no-such-pin"],
    "doctor": ["ringtrue", "doctor", "--only", "data", "--only", "database"],
    "gateway": ["services.gateway", "--port", "0"],
    "worker": ["services.worker"],
    "scorer": ["services.scorer", "--no-warm"],
}
SERVICES = ("gateway", "worker", "scorer")


def run_first(name: str, data: Path) -> None:
    """Run it under the usual umask until it has made the database, or ended."""
    environ = {key: value for key, value in os.environ.items() if not key.startswith(("RINGTRUE_", "MLFLOW_"))}
    environ |= {"RINGTRUE_DATA": str(data), "RINGTRUE_REDIS_URL": f"unix://{data}/none.sock"}
    process = subprocess.Popen(
        [sys.executable, "-P", "-m", *FIRST[name]], env=environ, umask=0o022,
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    deadline = time.monotonic() + 120
    while process.poll() is None and time.monotonic() < deadline:
        if name in SERVICES and (data / "ringtrue.db-wal").exists() and (data / "blobs").exists():
            break
        time.sleep(0.1)
    process.kill() if name in SERVICES else process.wait(60)
    process.wait()


def open_to_others(data: Path) -> list[str]:
    """What a user who may not enter ``data`` is not kept from by its own mode: nothing, if the folder is closed."""
    return [
        str(path)
        for path in (data, *data.rglob("*"))
        if not path.is_symlink() and stat.S_IMODE(path.stat().st_mode) & 0o077
    ]


@pytest.mark.parametrize("name", FIRST)
def test_whoever_comes_first_makes_it_for_its_user_alone(tmp_path: Path, name: str) -> None:
    data = tmp_path / "not" / "yet" / "there"
    run_first(name, data)
    if data.exists():
        assert open_to_others(data) == []
    assert data.exists() == (name != "doctor") or name == "lock"


@pytest.mark.parametrize("name", ["keys", "lock", "gateway", "worker"])
def test_a_folder_of_ours_that_is_open_is_closed(tmp_path: Path, name: str) -> None:
    data = tmp_path / "data"
    data.mkdir()
    data.chmod(0o755)
    (data / "ringtrue.db").touch()
    (data / "ringtrue.db").chmod(0o644)
    run_first(name, data)
    assert stat.S_IMODE(data.stat().st_mode) == 0o700
    assert stat.S_IMODE((data / "ringtrue.db").stat().st_mode) == 0o600


@needs_a_second_user
@pytest.mark.parametrize("how", ["another's", "a group's", "setgid"])
def test_a_folder_that_is_shared_on_purpose_stays_so(tmp_path: Path, how: str) -> None:
    data = tmp_path / "data"
    data.mkdir()
    if how == "another's":
        os.chown(data, NOBODY, NOBODY)
    elif how == "a group's":
        os.chown(data, -1, NOBODY)
    data.chmod({"another's": 0o755, "a group's": 0o770, "setgid": 0o2770}[how])
    before = data.stat().st_mode
    run_first("keys", data)
    assert data.stat().st_mode == before
    assert stat.S_IMODE((data / "ringtrue.db").stat().st_mode) == 0o644  # as the umask has it


def test_a_home_is_not_closed(tmp_path: Path) -> None:
    home = tmp_path / "home"
    home.mkdir()
    home.chmod(0o755)
    environ = {**os.environ, "HOME": str(home), "RINGTRUE_DATA": str(home)}
    subprocess.run([sys.executable, "-P", "-m", *FIRST["keys"]], env=environ, check=True, capture_output=True)
    assert stat.S_IMODE(home.stat().st_mode) == 0o755
    assert stat.S_IMODE((home / "ringtrue.db").stat().st_mode) == 0o600
