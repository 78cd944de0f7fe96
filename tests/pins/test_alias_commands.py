"""`ringtrue models promote`, `rollback`, `aliases`: moved by name and reason, told with all that ever happened."""

from __future__ import annotations

import json
import os
import pwd
import shutil
import time
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import click
import pytest
from click.testing import CliRunner, Result

from services.pins.cli import alias_commands
from shared.catalog import Manifest, PinState
from shared.store.sql import Database, SqlJobStore, migrate

V21, V22, V23 = (
    Manifest(
        pin=f"indextts2-{version}",
        engine="indextts2",
        engine_version="1.0",
        lock_sha256="ab" * 32,
        sample_rate=22_050,
        languages=("en", "zh"),
        default_language="zh",
        voices=(),
        controls={},
        emotions=(),
    )
    for version in ("v21", "v22", "v23")
)
GROUP = click.Group(commands=[alias_commands.promote, alias_commands.rollback, alias_commands.aliases])


@dataclass
class Models:
    """`ringtrue models` on a data folder of one's own."""

    data: Path

    def __call__(self, *arguments: str, **settings: str) -> Result:
        return CliRunner().invoke(GROUP, arguments, env={"RINGTRUE_DATA": str(self.data), **settings})

    def done(self, *arguments: str) -> Result:
        result = self(*arguments)
        assert result.exit_code == 0, result.output
        return result

    def lines(self, *arguments: str) -> list[dict[str, Any]]:
        """The JSON lines of a command."""
        return [json.loads(line) for line in self.done(*arguments, "--json").stdout.splitlines()]

    def pin_of(self, alias: str) -> str:
        (line,) = self.lines("aliases", alias)
        pin: str = line["pin"]
        return pin


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A store in which workers have published three versions, and refused a fourth; to copy."""
    folder = tmp_path_factory.mktemp("served")
    database = Database(f"sqlite:///{folder / 'ringtrue.db'}")
    migrate(database)
    broken = replace(V23, pin="indextts2-v24", state=PinState.REFUSED, detail="gpt.pth: other bytes")
    SqlJobStore(database).publish("worker", [V21, V22, V23, broken], time.time())
    database.close()
    return folder


@pytest.fixture
def models(served: Path, tmp_path: Path) -> Models:
    return Models(shutil.copytree(served, tmp_path / "data"))


def test_a_promotion_is_kept_with_who_when_from_to_and_why(models: Models) -> None:
    began = time.time()
    models.done("promote", V21.pin, "indextts2@production", "--reason", "首次上线", "--by", "ann")
    models.done("promote", V23.pin, "indextts2@production", "--reason", "MOS +0.2", "--by", "bob")
    first, second = models.lines("aliases", "indextts2@production", "--history")
    assert first == {
        "alias": "indextts2@production",
        "kind": "promote",
        "pin": V21.pin,
        "previous": None,
        "weight": 0.0,
        "by": "ann",
        "reason": "首次上线",
        "at": first["at"],
    }
    assert (second["previous"], second["pin"], second["by"], second["reason"]) == (V21.pin, V23.pin, "bob", "MOS +0.2")
    assert time.strftime("%Y-%m-%dT%H:%M", time.gmtime(began)) <= first["at"] <= second["at"]


def test_who_moved_it_is_the_user_unless_somebody_is_named(models: Models) -> None:
    (moved,) = models.lines("promote", V21.pin, "indextts2@production", "--reason", "first")
    assert moved["by"] == pwd.getpwuid(os.getuid()).pw_name


def test_a_bare_alias_belongs_to_the_model_of_the_pin(models: Models) -> None:
    models.done("promote", V21.pin, "production", "--reason", "first")
    assert models.pin_of("indextts2@production") == V21.pin


def test_it_says_on_stderr_what_became_what(models: Models) -> None:
    models.done("promote", V21.pin, "production", "--reason", "first")
    result = models.done("promote", V23.pin, "production", "--reason", "better")
    told, store = result.stderr.splitlines()
    assert (result.stdout, told) == ("", f"indextts2@production: {V21.pin} -> {V23.pin}")
    assert store.startswith("Recorded in ")
    assert "ringtrue.db; no gateway uses it at the moment" in store


def test_rolling_back_says_to_what(models: Models) -> None:
    models.done("promote", V21.pin, "production", "--reason", "first")
    models.done("promote", V23.pin, "production", "--reason", "better")
    result = models.done("rollback", "indextts2@production", "--reason", "it lisps")
    assert result.stderr.splitlines()[0] == f"indextts2@production: {V23.pin} -> {V21.pin}"
    assert models.pin_of("indextts2@production") == V21.pin
    *_, last = models.lines("aliases", "indextts2@production", "--history")
    assert (last["kind"], last["reason"]) == ("rollback", "it lisps")


def test_a_candidate_is_given_its_share_until_it_is_production(models: Models) -> None:
    models.done("promote", V21.pin, "production", "--reason", "first")
    result = models.done("promote", V23.pin, "candidate", "--weight", "0.1", "--reason", "try")
    told = result.stderr.splitlines()[0]
    assert told == f"indextts2@candidate: {V23.pin}, 10 % of the users of indextts2@production"
    models.done("promote", V23.pin, "production", "--reason", "it holds")
    assert [line["weight"] for line in models.lines("aliases", "indextts2@candidate", "--history")] == [0.1, 0.0]


def test_every_alias_is_listed_with_what_it_means_now(models: Models) -> None:
    models.done("promote", V21.pin, "production", "--reason", "first")
    models.done("promote", V22.pin, "production", "--reason", "better")
    models.done("promote", V23.pin, "candidate", "--weight", "0.25", "--reason", "try")
    assert [(line["alias"], line["pin"], line["weight"]) for line in models.lines("aliases")] == [
        ("indextts2@candidate", V23.pin, 0.25),
        ("indextts2@production", V22.pin, 0.0),
    ]
    candidate, production = models.done("aliases").stdout.splitlines()
    assert candidate.split()[:4] == ["indextts2@candidate", V23.pin, "25", "%"]
    assert production.split()[:2] == ["indextts2@production", V22.pin]


def test_the_history_of_all_aliases_is_listed_line_by_line(models: Models) -> None:
    models.done("promote", V21.pin, "production", "--reason", "first")
    models.done("promote", V23.pin, "production", "--reason", "better")
    models.done("rollback", "indextts2@production", "--reason", "it lisps")
    first, second, third = models.done("aliases", "--history").stdout.splitlines()
    assert f"{V21.pin} -> {V23.pin}" in second
    assert third.endswith("rolled back: it lisps")
    assert "->" not in first


def test_where_there_is_no_alias_nothing_is_listed_and_stderr_says_how_one_is_made(models: Models) -> None:
    listed = models.done("aliases")
    assert listed.stdout == ""
    assert "ringtrue models promote" in listed.stderr


def test_promoting_what_is_there_is_said_and_not_kept(models: Models) -> None:
    models.done("promote", V21.pin, "production", "--reason", "first")
    again = models.done("promote", V21.pin, "production", "--reason", "again")
    assert again.stderr == f"indextts2@production already means {V21.pin}.\n"
    assert len(models.lines("aliases", "indextts2@production", "--history")) == 1


def test_a_pin_that_no_worker_ever_published_needs_force(models: Models) -> None:
    asked = ("promote", "indextts2-v99", "production", "--reason", "soon")
    refused = models(*asked)
    assert (refused.exit_code, "no worker has published" in refused.stderr) == (66, True)
    assert "`ringtrue pins` lists all; use --force" in refused.stderr
    models.done(*asked, "--force")
    assert models.pin_of("indextts2@production") == "indextts2-v99"


def test_a_pin_whose_bytes_are_wrong_needs_force(models: Models) -> None:
    asked = ("promote", "indextts2-v24", "production", "--reason", "now")
    refused = models(*asked)
    assert (refused.exit_code, "gpt.pth: other bytes" in refused.stderr) == (65, True)
    models.done(*asked, "--force")


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (("promote", V21.pin, "Production", "--reason", "x"), 65),
        (("promote", V21.pin, "indextts2@", "--reason", "x"), 65),
        (("promote", V21.pin, "indextts2@v_1", "--reason", "x"), 65),
        (("promote", "mms-eng", "production", "--reason", "x", "--force"), 65),
        (("promote", V21.pin, "production", "--reason", " "), 65),
        (("promote", V21.pin, "production", "--reason", "x", "--by", ""), 65),
        (("promote", V21.pin, "production", "--reason", "x", "--weight", "0.1"), 65),
        (("promote", V21.pin, "candidate", "--reason", "x", "--weight", "1.5"), 65),
        (("promote", V21.pin, "candidate", "--reason", "x", "--weight", "nan"), 65),
        (("rollback", "production", "--reason", "x"), 65),
        (("rollback", "indextts2@production", "--reason", "x"), 66),
        (("aliases", "indextts2@production"), 66),
        (("aliases", "indextts2"), 65),
    ],
)
def test_what_cannot_be_done_is_said_in_one_line(models: Models, arguments: tuple[str, ...], code: int) -> None:
    result = models(*arguments)
    assert (result.exit_code, result.stdout, len(result.stderr.splitlines())) == (code, "", 1)
    assert models.done("aliases").stdout == ""


@pytest.mark.parametrize("command", [("promote", V21.pin, "production"), ("rollback", "indextts2@production")])
def test_a_move_without_a_reason_is_no_command(models: Models, command: tuple[str, ...]) -> None:
    result = models(*command)
    assert "--reason" in result.stderr
    assert result.exit_code != 0


def test_a_store_that_cannot_be_opened_is_said_in_one_line(models: Models) -> None:
    result = models("aliases", RINGTRUE_DATABASE_URL="mysql://localhost/x")
    assert (result.exit_code, len(result.stderr.splitlines())) == (78, 1)
