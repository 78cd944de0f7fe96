"""`ringtrue keys`: a key is shown once, found again by its id, and can be taken away."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from subprocess import PIPE
from typing import NamedTuple

import pytest

from shared.ports import SWEEPING, Submission
from shared.store.sql import Database, SqlJobStore, SqlKeyStore, migrate
from tests.postgresql import databases
from tests.shared.store.building import new_job


@pytest.fixture
def data(tmp_path: Path) -> Path:
    return tmp_path / "made-when-needed"


@pytest.fixture
def make_postgresql_database() -> Iterator[Callable[[], str]]:
    with databases() as make:
        yield make


class Command(NamedTuple):
    argv: list[str]
    env: dict[str, str]


def key_command(data: Path, *arguments: str, **settings: str) -> Command:
    environ = {name: value for name, value in os.environ.items() if not name.startswith("RINGTRUE_")}
    argv = [sys.executable, "-m", "ringtrue", "keys", *arguments]
    return Command(argv, environ | {"RINGTRUE_DATA": str(data), **settings})


def keys(data: Path, *arguments: str, **settings: str) -> subprocess.CompletedProcess[str]:
    argv, env = key_command(data, *arguments, **settings)
    return subprocess.run(argv, env=env, capture_output=True, text=True, timeout=60, check=False)


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
    assert (again.returncode, again.stderr) == (0, "The store has a key already; nothing was changed.\n")
    (listed,) = map(json.loads, keys(data, "list", "--json").stdout.splitlines())
    assert (listed["id"], listed["user"]) == ("0123456789ab", "ann")


@pytest.mark.parametrize("text", ["", "rt_0123456789ab_short", "sk-0123456789", GIVEN + "!"])
def test_a_key_that_is_none_or_too_short_is_not_kept(data: Path, text: str) -> None:
    refused = keys(data, "adopt", "ann", RINGTRUE_API_KEY=text)
    assert refused.returncode == 64
    assert refused.stderr.startswith("RINGTRUE_API_KEY cannot be stored: ")


def test_the_key_of_the_example_is_kept_for_this_machine_alone(data: Path) -> None:
    example = Path(__file__).parents[2] / ".env.example"
    (text,) = [line.partition("=")[2] for line in example.read_text().splitlines() if line.startswith("RINGTRUE_API_")]
    refused = keys(data, "adopt", "ann", RINGTRUE_API_KEY=text, RINGTRUE_PUBLISHED="0.0.0.0")
    assert (refused.returncode, "0.0.0.0 can be reached from other machines" in refused.stderr) == (64, True)
    assert keys(data, "adopt", "ann", RINGTRUE_API_KEY=text, RINGTRUE_PUBLISHED="127.0.0.1").returncode == 0


def test_every_command_says_which_store_it_worked_on(data: Path) -> None:
    store = str(data / "ringtrue.db")
    assert keys(data, "list").stderr == f"There are no keys in {store}.\n"
    made = keys(data, "create", "ann")
    assert store in made.stderr
    assert "No gateway uses this store at the moment" in made.stderr
    assert store in keys(data, "revoke", made.stdout.split("_")[1]).stderr
    assert f"no key x in {store}" in keys(data, "revoke", "x").stderr


def test_the_password_of_a_store_is_not_shown(data: Path, make_postgresql_database: Callable[[], str]) -> None:
    made = keys(data, "create", "ann", RINGTRUE_DATABASE_URL=make_postgresql_database())
    assert made.returncode == 0, made.stderr
    assert "in postgresql" in made.stderr
    url = "postgresql://ringtrue:secret@127.0.0.1:1/x"
    assert "secret" not in keys(data, "create", "ann", RINGTRUE_DATABASE_URL=url).stderr


def with_jobs_of_local(data: Path, *, served_for_s: float) -> Database:
    """A store with two jobs that were made without a key, and a gateway that runs on it for so long."""
    data.mkdir()
    database = Database(f"sqlite:///{data / 'ringtrue.db'}")
    migrate(database)
    store, now = SqlJobStore(database), database.now()
    store.add([Submission([new_job(f"job_{number}", user="local") for number in range(2)])])
    store.hold(SWEEPING, "gateway", now + served_for_s, now)
    return database


def test_what_was_made_without_a_key_is_the_first_keys_users(data: Path) -> None:
    database = with_jobs_of_local(data, served_for_s=0)
    made = keys(data, "create", "ann")
    assert "Everything made here without a key now belongs to ann: 2 jobs." in made.stderr
    assert "made here without a key" not in keys(data, "create", "ben").stderr
    assert {job.user for job in SqlJobStore(database).get(["job_0", "job_1"]).values()} == {"ann"}
    database.close()


def test_what_is_let_in_while_a_gateway_learns_of_the_key_is_handed_over_too(data: Path) -> None:
    database = with_jobs_of_local(data, served_for_s=60)
    store = SqlJobStore(database)
    command = key_command(data, "create", "ann")
    with subprocess.Popen(command.argv, env=command.env, stdout=PIPE, stderr=PIPE, text=True) as making:
        assert making.stdout is not None
        making.stdout.readline()  # the key is there
        store.add([Submission([new_job("late", user="local")])])
        said = making.communicate(timeout=60)[1]
    assert "The running gateway of this store requires keys from now on" in said
    assert "3 jobs" in said
    assert store.get(["late"])["late"].user == "ann"
    database.close()
