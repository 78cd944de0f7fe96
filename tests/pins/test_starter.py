"""`ringtrue models pull starter`: what the set is, what it does beside pins of one's own, and what faults leave."""

from __future__ import annotations

import dataclasses
import os
from pathlib import Path

import pytest
from rich.filesize import decimal

from services.pins.locking.agreement import disagreements
from services.pins.locking.lock_book import LockBook
from services.pins.starter.starter_set import StarterDiffers, StarterPin, add_missing, fitting, starter_pins
from shared.weights.catalog_file import read_catalog
from shared.weights.catalog_text import put_entries
from shared.weights.lock import PinLock, read_locks, write_locks
from tests.pins.machine import NOWHERE, Machine
from tests.pins.package_index import PackageIndex, tarball, wheel
from tests.shared.weights.voices import VOICE

ROOT = Path(__file__).parents[2]
EXAMPLES, PAGE = ROOT / "examples", ROOT / "docs" / "models.md"
NAMES = ["kokoro", "joe", "whisper-base", "distillmos"]
NO_REGISTRY = {
    "PIP_CONFIG_FILE": os.devnull,
    "PIP_INDEX_URL": f"{NOWHERE}/simple/",
    "PIP_RETRIES": "0",
    "npm_config_registry": f"{NOWHERE}/",
    "npm_config_fetch_retries": "0",
}
"""No package can be had."""


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    """A data folder that does not exist yet."""
    return Machine(tmp_path / "new" / "data")


def starter(name: str) -> StarterPin:
    (found,) = [pin for pin in starter_pins() if pin.lock.name == name]
    return found


def known(machine: Machine, *pins: StarterPin) -> None:
    """The pins are locked here and in the catalog, as a user may have copied them from the examples."""
    machine.data.mkdir(parents=True, exist_ok=True)
    put_entries(machine.catalog, [pin.entry for pin in pins])
    write_locks(machine.lock_file, {pin.lock.name: pin.lock for pin in pins})


def renamed(lock: PinLock, name: str) -> PinLock:
    return dataclasses.replace(lock, name=name)


def test_the_set_speaks_two_languages_and_measures_what_was_said_and_how_it_sounds() -> None:
    assert [(pin.lock.name, pin.lock.engine, pin.lock.size, pin.lock.licence) for pin in starter_pins()] == [
        ("kokoro", "kokoro", 120_563_386, "Apache-2.0"),
        (
            "joe",
            "piper",
            63_206_088,
            "MIT; the voice's data: CC0, but fine-tuned from lessac medium, so the terms of Blizzard 2013 may attach",
        ),
        ("whisper-base", "whisper", 150_218_479, "MIT"),
        ("distillmos", "distillmos", 16_907_522, "MIT"),
    ]


def test_the_set_comes_from_package_registries_alone_and_runs_no_code() -> None:
    for pin in starter_pins():
        sources = [source for component in pin.lock.components for source in component.sources]
        assert [source for source in sources if not source.packages] == []
        assert not pin.lock.trust_remote_code
        assert disagreements(pin.entry, pin.lock) == []


def test_the_examples_have_the_same_pins() -> None:
    entries, locks = read_catalog(EXAMPLES / "catalog.toml"), read_locks(EXAMPLES / "catalog.lock")
    assert [(entries[pin.entry.name], locks[pin.lock.name]) for pin in starter_pins()] == [
        (pin.entry, pin.lock) for pin in starter_pins()
    ]


def test_the_page_of_models_tells_the_same_sizes_and_licences() -> None:
    section = PAGE.read_text().split("\n## The starter set\n", 1)[1].split("\n## ", 1)[0]
    table = section.split("| pin |", 1)[1].split("\n\n", 1)[0]
    rows = [line.strip("| ").split(" | ") for line in table.splitlines() if line.startswith("| `")]
    assert [(pin.strip("`"), size, licence) for pin, _, size, licence in rows] == [
        (pin.lock.name, decimal(pin.lock.size), pin.lock.licence) for pin in starter_pins()
    ]


def test_missing_pins_are_added_once_and_others_stay_as_they_are(machine: Machine) -> None:
    mine = machine.knows(VOICE, "mine")
    machine.catalog.write_text("# My own words.\n" + machine.catalog.read_text())
    book = LockBook(machine.lock_file)
    assert add_missing(starter_pins(), machine.catalog, book) == NAMES
    assert machine.catalog.read_text().startswith("# My own words.\n")
    assert set(read_catalog(machine.catalog)) == {"mine", *NAMES}
    assert read_locks(machine.lock_file) == {"mine": mine, **{pin.lock.name: pin.lock for pin in starter_pins()}}
    before = machine.everything()
    assert add_missing(starter_pins(), machine.catalog, book) == []
    assert machine.everything() == before


def test_what_half_of_the_two_files_says_is_completed(machine: Machine) -> None:
    kokoro, joe = starter("kokoro"), starter("joe")
    known(machine, kokoro, joe)
    put_entries(machine.catalog, [dataclasses.replace(kokoro.entry, description="in my words")])
    write_locks(machine.lock_file, {"joe": joe.lock})
    assert add_missing([kokoro, joe], machine.catalog, LockBook(machine.lock_file)) == ["kokoro"]
    assert read_locks(machine.lock_file) == {"joe": joe.lock, "kokoro": kokoro.lock}
    assert read_catalog(machine.catalog)["kokoro"].description == "in my words"


def test_another_pin_of_the_same_name_is_refused_by_name_and_nothing_changes(machine: Machine) -> None:
    machine.has(VOICE, "kokoro")
    machine.knows(VOICE, "joe")
    before = machine.everything()
    done = machine.models("pull", "starter", **NO_REGISTRY)
    assert (done.returncode, done.stdout) == (65, "")
    (line,) = done.stderr.splitlines()
    assert "kokoro (lock " in line
    assert "joe (lock " in line
    assert "nothing was changed" in line
    assert machine.everything() == before


def test_an_entry_that_wants_something_else_is_refused_also_if_it_is_not_locked(machine: Machine) -> None:
    joe = starter("joe")
    machine.data.mkdir(parents=True)
    put_entries(machine.catalog, [dataclasses.replace(joe.entry, version="2.0.0")])
    with pytest.raises(StarterDiffers, match=r"joe \(in the catalog, not locked: version is '2.0.0'"):
        fitting(read_catalog(machine.catalog), {})


def test_a_metric_that_has_its_pin_already_keeps_it(machine: Machine) -> None:
    other = renamed(starter("whisper-base").lock, "my-whisper")
    found = fitting({}, {"my-whisper": other})
    assert [pin.lock.name for pin in found.pins] == ["kokoro", "joe", "distillmos"]
    assert found.left_out == {"whisper-base": "my-whisper"}


def test_a_second_voice_of_the_same_engine_leaves_nothing_out() -> None:
    other = renamed(starter("kokoro").lock, "my-kokoro")
    assert [pin.lock.name for pin in fitting({}, {"my-kokoro": other}).pins] == NAMES


def test_a_pin_of_ones_own_that_is_named_starter_is_meant(machine: Machine) -> None:
    machine.has(VOICE, "starter")
    before = machine.everything()
    done = machine.models("pull", "starter", **NO_REGISTRY)
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("starter: ")
    assert "starter is a pin of" in done.stderr
    assert machine.everything() == before


def test_sizes_and_licences_are_told_before_anything_is_fetched(machine: Machine) -> None:
    done = machine.models("pull", "starter", **NO_REGISTRY)
    assert [line for line in done.stderr.splitlines() if "HF_HUB_OFFLINE" not in line][:6] == [
        "Starter set: 350.9 MB, of which 350.9 MB must be fetched",
        "  kokoro         120.6 MB  Apache-2.0",
        "  joe             63.2 MB  MIT; the voice's data: CC0, but fine-tuned from lessac medium, so the terms of"
        " Blizzard 2013 may attach",
        "  whisper-base   150.2 MB  MIT",
        "  distillmos      16.9 MB  MIT",
        "63 files to fetch, 350.9 MB",
    ]


def test_without_a_registry_no_pin_is_added(machine: Machine) -> None:
    done = machine.models("pull", "starter", **NO_REGISTRY)
    assert done.returncode == 76
    assert done.stderr.splitlines()[-1] == (
        "not pulled: kokoro, joe, whisper-base, distillmos; what was received is kept"
    )
    assert [name for name in machine.everything() if not name.startswith("models/")] == []
    assert machine.documents("list") == []


def test_what_a_killed_pull_has_received_outlasts_a_pull_of_another_pin(machine: Machine) -> None:
    machine.has(VOICE, "mine")
    (weights,) = starter("distillmos").lock.files
    received, unknown = machine.store.partial(weights.sha256), machine.store.partial("0" * 64)
    received.parent.mkdir(parents=True, exist_ok=True)
    for partial in (received, unknown):
        partial.write_bytes(b"the first bytes")
    done = machine.models("pull", "mine")
    assert done.returncode == 0, done.stderr
    assert received.read_bytes() == b"the first bytes"
    assert not unknown.exists()


def test_wrong_bytes_of_a_registry_add_no_pin(machine: Machine, tmp_path: Path) -> None:
    with PackageIndex() as index:
        weights = {"distillmos/weights/distill_mos_v7.pt": bytes(16_907_522)}
        index.add("pypi", "distillmos", "0.9.1", wheel(weights, name="distillmos", version="0.9.1"))
        index.add("npm", "kokoro-js", "1.2.1", tarball({"package/voices/af_heart.bin": bytes(522_240)}))
        done = machine.models("pull", "starter", "--json", **index.access(tmp_path).environ)
    assert done.returncode == 76
    assert '"pin": "distillmos"' in done.stdout
    assert "b18b3ac60227267cfb91e5d00ce22cc7b73716fd92f269484da1446e27031a40" in done.stdout
    assert not machine.catalog.exists()
    assert not machine.lock_file.exists()


def test_a_disk_that_is_too_small_is_told_before_anything_is_fetched(small_disk: Path) -> None:
    machine = Machine(small_disk / "data")
    done = machine.models("pull", "starter", **NO_REGISTRY)
    assert done.returncode == 73
    assert "350.9 MB must be fetched and 268.4 MB must stay free" in done.stderr.splitlines()[-1]
    assert not machine.catalog.exists()
    assert not machine.lock_file.exists()
