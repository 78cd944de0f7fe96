"""`ringtrue models` verify, list, diff and remove, as they are typed: what is said, and the exit code."""

from __future__ import annotations

import json
import random
from pathlib import Path

import pytest

from shared.weights.catalog_file import Entry, Wanted
from shared.weights.catalog_text import put_entries
from shared.weights.lock import PinLock
from tests.model_stores import bring
from tests.pins.machine import V21, Machine
from tests.shared.weights.alterations import flipped_bit_with_the_times_put_back
from tests.shared.weights.voices import HUB, VOICE

SHARED = sum(len(content) for path, content in VOICE.items() if path != "model.bin")


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    return Machine(tmp_path / "data")


@pytest.fixture
def old(machine: Machine) -> PinLock:
    return machine.has(V21, "voice-v21")


@pytest.fixture
def new(machine: Machine) -> PinLock:
    return machine.has(VOICE, "voice-v23")


def test_verify_reads_all_that_is_pulled_and_says_what_is_not(machine: Machine, old: PinLock, new: PinLock) -> None:
    machine.knows({"other.bin": b"elsewhere"}, "never-pulled")
    done = machine.models("verify")
    assert done.returncode == 0, done.stderr
    first, second = done.stdout.splitlines()
    assert first.split()[:2] == ["ok", "voice-v21"]
    assert second.split()[:2] == ["ok", "voice-v23"]
    assert "never-pulled" in done.stderr


@pytest.mark.parametrize("command", ["lock", "pull", "verify", "remove", "watch"])
def test_a_name_that_is_in_no_file_is_told_with_the_nearest(machine: Machine, old: PinLock, command: str) -> None:
    done = machine.models(command, "voice-21")
    assert done.returncode == 66
    assert done.stderr.strip().endswith("voice-21; did you mean voice-v21?")


def test_who_has_no_catalog_yet_is_told_of_the_examples(machine: Machine) -> None:
    done = machine.models("pull", "joe")
    assert done.returncode == 66
    assert done.stderr.strip().endswith(
        "joe; examples/catalog.toml and examples/catalog.lock have entries to start from"
    )


def test_a_name_that_is_like_no_other_is_told_where_names_are_listed(machine: Machine, old: PinLock) -> None:
    assert machine.models("pull", "joe").stderr.strip().endswith("joe; `ringtrue models list` lists what they have")


def test_verify_reads_what_pins_share_once_and_quickly_nothing(machine: Machine, old: PinLock, new: PinLock) -> None:
    whole = [told["read_bytes"] for told in machine.documents("verify")]
    assert sum(whole) == old.size + new.size - SHARED
    assert [told["read_bytes"] for told in machine.documents("verify", "--quick")] == [0, 0]


@pytest.mark.parametrize("how", [["--quick"], []])
def test_verify_names_the_pin_the_file_and_both_hashes(machine: Machine, old: PinLock, how: list[str]) -> None:
    flipped_bit_with_the_times_put_back(machine.store, old, random.Random(3))
    done = machine.models("verify", *how)
    assert done.returncode == 76
    (line,) = done.stdout.splitlines()
    assert line.startswith("wrong  voice-v21  ")
    assert "has sha256" in line
    assert "but the lock says" in line
    (told,) = machine.documents("verify", *how)
    assert (told["pin"], told["state"], len(told["errors"])) == ("voice-v21", "wrong", 1)


def test_verify_of_one_pin_does_not_mind_the_others(machine: Machine, old: PinLock, new: PinLock) -> None:
    (machine.store.snapshot(old) / "extra.py").write_text("")
    assert machine.models("verify", "voice-v23").returncode == 0
    assert machine.models("verify", "voice-v21").returncode == 76


def test_verify_of_a_pin_by_name_that_is_not_pulled_fails(machine: Machine) -> None:
    machine.knows(VOICE, "voice-v23")
    (told,) = machine.documents("verify", "voice-v23")
    assert (told["state"], len(told["errors"])) == ("not_pulled", len(VOICE))
    assert machine.models("verify", "voice-v23").returncode == 76


@pytest.mark.parametrize("command", ["verify", "watch", "list"])
def test_where_no_pin_is_locked_the_command_says_so_instead_of_nothing(machine: Machine, command: str) -> None:
    done = machine.models(command)
    assert (done.returncode, done.stdout) == (0, "")
    assert str(machine.lock_file) in done.stderr


def test_a_pin_asked_for_without_any_catalog_is_told_where_to_begin(machine: Machine) -> None:
    done = machine.models("lock", "mms-eng")
    assert done.returncode == 66
    assert "examples/catalog.toml" in done.stderr


def test_list_shows_every_state_and_what_is_shared(machine: Machine, old: PinLock, new: PinLock) -> None:
    machine.knows({"other.bin": b"elsewhere"}, "not-pulled")
    machine.knows({"other.bin": b"elsewhere", "config.json": VOICE["config.json"]}, "partly")
    wrong = machine.has({"w.bin": b"wrong soon"}, "wrong")
    (machine.store.snapshot(wrong) / "extra.py").write_text("")
    touched = machine.has({"t.bin": b"touched"}, "touched")
    machine.store.blob(next(touched.files).sha256).touch()
    put_entries(machine.catalog, [Entry("wanted", "wobble", (Wanted("model", (HUB,)),), licence="MIT", version="v9")])
    told = {document["pin"]: document for document in machine.documents("list")}
    assert {pin: document["state"] for pin, document in told.items()} == {
        "not-pulled": "not_pulled",
        "partly": "partly_pulled",
        "touched": "not_verified",
        "voice-v21": "verified",
        "voice-v23": "verified",
        "wanted": "not_locked",
        "wrong": "wrong",
    }
    assert told["voice-v23"]["bytes_shared"] == SHARED
    assert told["voice-v23"]["bytes"] == told["voice-v23"]["bytes_there"] == new.size
    assert told["partly"]["bytes_there"] == len(VOICE["config.json"])
    assert told["wanted"]["licence"] == "MIT"
    assert told["voice-v21"]["verified_at"].endswith("Z")
    assert "extra.py" in told["wrong"]["detail"]
    table = machine.models("list").stdout
    assert all(f"\n{pin} " in table for pin in told)


def test_diff_tells_files_bytes_and_options(machine: Machine, old: PinLock, new: PinLock) -> None:
    (told,) = machine.documents("diff", "voice-v21", "voice-v23")
    assert [file["path"] for file in told["removed"]] == ["old.json"]
    assert [change["to"]["path"] for change in told["changed"]] == ["model.bin"]
    assert len(told["same"]) == len(VOICE) - 1
    assert (told["added"], told["bytes_to_fetch"], told["bytes_to_fetch_here"]) == ([], len(VOICE["model.bin"]), 0)
    done = machine.models("diff", "voice-v23", "voice-v21")
    assert done.returncode == 0
    assert "+ old.json" in done.stdout
    assert "1 added, 0 removed, 1 changed, 4 same" in done.stdout


def test_remove_frees_what_no_other_pin_has_and_keeps_the_lock(machine: Machine, old: PinLock, new: PinLock) -> None:
    done = machine.models("remove", "voice-v21", "--yes")
    assert (done.returncode, done.stdout) == (0, "voice-v21: 13.0 kB freed\n")
    assert machine.models("verify", "voice-v23").returncode == 0
    assert [told["state"] for told in machine.documents("list")] == ["partly_pulled", "verified"]


def test_remove_of_two_pins_frees_what_they_share(machine: Machine, old: PinLock, new: PinLock) -> None:
    assert machine.models("remove", "voice-v21", "voice-v23", "--yes").returncode == 0
    assert not [path for path in (machine.store.root / "blobs").rglob("*") if path.is_file()]


def test_remove_of_a_pin_that_a_worker_serves_is_refused(machine: Machine, old: PinLock, new: PinLock) -> None:
    with machine.store.using(old):
        done = machine.models("remove", "voice-v21", "voice-v23", "--yes")
    assert done.returncode == 76
    assert "not removed: voice-v21 is in use: a running worker serves" in done.stderr
    assert machine.models("verify", "voice-v21").returncode == 0
    assert not machine.store.snapshot(new).exists()


def test_remove_asks_first_and_without_an_answer_nothing_goes(machine: Machine, old: PinLock) -> None:
    done = machine.models("remove", "voice-v21")
    assert done.returncode == 130
    assert machine.models("verify", "voice-v21").returncode == 0


@pytest.mark.parametrize("command", [["verify", "no"], ["diff", "voice-v21", "no"], ["remove", "no", "--yes"]])
def test_a_pin_without_a_lock_is_said_in_one_line(machine: Machine, old: PinLock, command: list[str]) -> None:
    done = machine.models(*command)
    assert (done.returncode, done.stdout) == (66, "")
    assert len(done.stderr.splitlines()) == 1


@pytest.mark.parametrize("command", ["verify", "list"])
def test_a_lock_that_cannot_be_served_is_said_for_each_pin(machine: Machine, old: PinLock, command: str) -> None:
    data = json.loads(machine.lock_file.read_text())
    data["pins"]["voice-v21"]["engine"] = "other"
    data["pins"]["second"] = {}
    machine.lock_file.write_text(json.dumps(data))
    done = machine.models(command)
    assert (done.returncode, len(done.stderr.splitlines())) == (78, 2)


def test_options_name_another_catalog_and_another_store(machine: Machine, tmp_path: Path, old: PinLock) -> None:
    done = Machine(tmp_path / "other").models(
        "verify", "voice-v21", "--catalog", machine.catalog, "--models", machine.store.root
    )
    assert done.returncode == 0, done.stderr


def test_verify_goes_on_while_nobody_has_pulled_anything(machine: Machine) -> None:
    done = machine.models("verify")
    assert (done.returncode, done.stdout) == (0, "")


def test_what_lies_in_the_store_and_in_no_lock_is_no_pin(machine: Machine, old: PinLock) -> None:
    bring(machine.store, "stray.bin", b"stray")
    assert len(machine.documents("list")) == 1
