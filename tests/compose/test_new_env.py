"""docker/new_env.py: an .env with secrets of its own."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from services.gateway.keys import given_key
from tests.compose.compose_file import ROOT, SECRETS, example, settings


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    (tmp_path / "docker").mkdir()
    for name in (".env.example", "docker/new_env.py"):
        shutil.copy(ROOT / name, tmp_path / name)
    return tmp_path


def new_env(checkout: Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, checkout / "docker/new_env.py"]
    return subprocess.run(command, capture_output=True, text=True, timeout=30, check=False)


def test_it_has_secrets_that_nobody_knows(checkout: Path) -> None:
    assert new_env(checkout).returncode == 0
    made = settings((checkout / ".env").read_text())
    assert "change-me" not in (checkout / ".env").read_text().replace("in place of change-me", "")
    assert {name for name, value in made.items() if value != example()[name]} == set(SECRETS)
    assert len({made[name] for name in SECRETS}) == len(SECRETS)
    assert given_key(made["RINGTRUE_API_KEY"], "ann", 0).user == "ann"


def test_only_its_owner_reads_it(checkout: Path) -> None:
    new_env(checkout)
    assert (checkout / ".env").stat().st_mode & 0o777 == 0o600


def test_one_that_is_there_stays(checkout: Path) -> None:
    (checkout / ".env").write_text("RINGTRUE_PORT=1\n")
    done = new_env(checkout)
    assert (done.returncode, "is there already" in done.stderr) == (1, True)
    assert (checkout / ".env").read_text() == "RINGTRUE_PORT=1\n"
