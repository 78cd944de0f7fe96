"""`ringtrue keys`: a key is shown once, found again by its id, and can be taken away."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from shared.store.sql import Database, SqlKeyStore


@pytest.fixture
def data(tmp_path: Path) -> Path:
    return tmp_path / "made-when-needed"


def keys(data: Path, *arguments: str, **settings: str) -> subprocess.CompletedProcess[str]:
    environ = {name: value for name, value in os.environ.items() if not name.startswith("RINGTRUE_")}
    environ |= {"RINGTRUE_DATA": str(data), **settings}
    command = [sys.executable, "-m", "ringtrue", "keys", *arguments]
    return subprocess.run(command, env=environ, capture_output=True, text=True, timeout=60, check=False)


def test_a_key_is_printed_once_and_its_secret_is_kept_nowhere(data: Path) -> None:
    made = keys(data, "create", "ann")
    assert made.returncode == 0
    (text,) = made.stdout.splitlines()
    prefix, key_id, secret = text.split("_", 2)
    assert prefix == "rt"
    database = Database(f"sqlite:///{data / 'ringtrue.db'}")
    (key,) = SqlKeyStore(database).list()
    database.close()
    assert (key.id, key.user, key.expires_at) == (key_id, "ann", None)
    assert not any(secret.encode() in file.read_bytes() for file in data.iterdir() if file.is_file())
    assert secret not in keys(data, "list").stdout + keys(data, "list", "--json").stdout


def test_a_key_lives_from_its_making_to_its_end(data: Path) -> None:
    key_id = keys(data, "create", "ann", "--expires", "0.5").stdout.split("_")[1]
    (listed,) = map(json.loads, keys(data, "list", "--json").stdout.splitlines())
    assert listed["state"].startswith("good until")
    assert keys(data, "revoke", key_id).returncode == 0
    (listed,) = map(json.loads, keys(data, "list", "--json").stdout.splitlines())
    assert listed["revoked_at"] is not None


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (("create", "two words"), 64),
        (("create",), 64),
        (("create", "ann", "--expires", "0"), 64),
        (("revoke", "x"), 66),
    ],
)
def test_what_cannot_be_done_is_said_on_stderr(data: Path, arguments: tuple[str, ...], code: int) -> None:
    done = keys(data, *arguments)
    assert (done.returncode, done.stdout) == (code, "")
    assert done.stderr
    assert "Traceback" not in done.stderr


def test_a_store_that_cannot_be_opened_is_said_in_one_line(data: Path) -> None:
    done = keys(data, "list", RINGTRUE_DATABASE_URL="mysql://localhost/x")
    assert done.returncode == 78
    assert len(done.stderr.splitlines()) == 1


GIVEN = "rt_0123456789ab_" + "S" * 43


def test_a_key_that_was_made_elsewhere_is_kept_as_the_first_one_only(data: Path) -> None:
    assert keys(data, "adopt", "ann", RINGTRUE_API_KEY=GIVEN).returncode == 0
    again = keys(data, "adopt", "bob", RINGTRUE_API_KEY=GIVEN.replace("ab_", "cd_"))
    assert (again.returncode, again.stderr) == (0, "There is a key already; nothing was changed.\n")
    (listed,) = map(json.loads, keys(data, "list", "--json").stdout.splitlines())
    assert (listed["id"], listed["user"]) == ("0123456789ab", "ann")


@pytest.mark.parametrize("text", ["", "rt_0123456789ab_short", "sk-0123456789", GIVEN + "!"])
def test_a_key_that_is_none_or_too_short_is_not_kept(data: Path, text: str) -> None:
    refused = keys(data, "adopt", "ann", RINGTRUE_API_KEY=text)
    assert refused.returncode == 64
    assert refused.stderr.startswith("RINGTRUE_API_KEY cannot be kept: ")


def test_the_key_of_the_example_is_kept_for_this_machine_alone(data: Path) -> None:
    example = Path(__file__).parents[2] / ".env.example"
    (text,) = [line.partition("=")[2] for line in example.read_text().splitlines() if line.startswith("RINGTRUE_API_")]
    refused = keys(data, "adopt", "ann", RINGTRUE_API_KEY=text, RINGTRUE_PUBLISHED="0.0.0.0")
    assert (refused.returncode, "0.0.0.0 is not this machine alone" in refused.stderr) == (64, True)
    assert keys(data, "adopt", "ann", RINGTRUE_API_KEY=text, RINGTRUE_PUBLISHED="127.0.0.1").returncode == 0
