"""Pins in one file: what goes out comes in as it was, and a file that is not right leaves a machine as it was."""

from __future__ import annotations

import json
import random
import tarfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from services.pins.archives.archive import MANIFEST, ArchiveRefused, Contents, member_of
from services.pins.archives.carrying import AlreadyThere, export_pins
from services.pins.pulling.space import NotEnoughSpace
from shared.weights.catalog_file import read_catalog
from shared.weights.errors import LockMismatch, NotPulled
from shared.weights.lock import read_locks
from shared.weights.store import WrongBytes
from shared.weights.verification import verify
from tests.pins.machine import V21, Machine, exported, taken_in
from tests.shared.weights.alterations import flipped_bit_with_the_times_put_back
from tests.shared.weights.voices import VOICE, lock_of

MODEL = next(file for file in lock_of().files if file.path == "model.bin")


@pytest.fixture
def here(tmp_path: Path) -> Machine:
    """Has two versions of a voice."""
    machine = Machine(tmp_path / "here")
    machine.has(V21, "voice-v21")
    machine.has(VOICE, "voice-v23")
    return machine


@pytest.fixture
def there(tmp_path: Path) -> Machine:
    """Has nothing yet."""
    return Machine(tmp_path / "there")


@pytest.fixture
def file(here: Machine, tmp_path: Path) -> Path:
    """Both pins of `here`."""
    return exported(here, tmp_path / "voices.tar")


def test_what_goes_out_comes_in_by_two_commands_without_a_network(
    here: Machine, there: Machine, tmp_path: Path
) -> None:
    file = tmp_path / "voices.tar"
    out = here.models("export", file, "voice-v21", "voice-v23")
    assert (out.returncode, "7 files" in out.stdout) == (0, True), out.stderr
    taken = there.models("import", file)
    assert (taken.returncode, "7 files received" in taken.stdout) == (0, True), taken.stderr
    assert read_locks(there.lock_file) == read_locks(here.lock_file)
    assert read_catalog(there.catalog) == read_catalog(here.catalog)
    assert there.models("verify").stdout.count("ok ") == 2
    assert not list(tmp_path.glob(".voices*"))


def test_each_file_is_in_it_once_and_nothing_is_compressed(here: Machine, file: Path) -> None:
    with tarfile.open(file, "r:") as tar:
        assert tar.getnames()[0] == MANIFEST
        assert len(tar.getnames()) == len(set(tar.getnames())) == 1 + len({*VOICE.values(), *V21.values()})


def test_its_manifest_says_of_each_pin_what_a_signature_would_be_over(file: Path) -> None:
    with tarfile.open(file, "r:") as tar:
        opened = tar.extractfile(MANIFEST)
        assert opened is not None
        statement = json.loads(opened.read())["statements"]["voice-v23"]
    assert statement["_type"] == "https://in-toto.io/Statement/v1"
    assert statement["predicateType"] == "https://model_signing/signature/v1.0"
    assert statement["predicate"]["serialization"]["allow_symlinks"] is False
    resources = {entry["name"]: entry["digest"] for entry in statement["predicate"]["resources"]}
    assert resources == {file.path: file.sha256 for file in lock_of().files}


def test_files_that_are_there_already_are_not_copied(there: Machine, file: Path) -> None:
    there.has(V21, "voice-v21")
    counted = list[int]()
    taken_in(there, file, on_bytes=counted.append)
    assert sum(counted) == len(VOICE["model.bin"])


def test_a_file_that_is_there_and_wrong_is_mended(there: Machine, file: Path) -> None:
    lock = there.has(VOICE, "voice-v23")
    flipped_bit_with_the_times_put_back(there.store, lock, random.Random(1))
    taken_in(there, file)
    verify(there.store, lock, whole=True)


def test_an_import_twice_changes_nothing(there: Machine, file: Path) -> None:
    taken_in(there, file)
    before = there.everything()
    taken_in(there, file)
    assert there.everything() == before


def test_a_pin_that_is_not_as_locked_does_not_leave(here: Machine, tmp_path: Path) -> None:
    flipped_bit_with_the_times_put_back(here.store, read_locks(here.lock_file)["voice-v21"], random.Random(1))
    done = here.models("export", tmp_path / "voices.tar", "voice-v21")
    assert done.returncode == 76
    assert "has sha256" in done.stderr
    assert not list(tmp_path.glob("*voices*"))


def test_a_pin_that_is_not_pulled_does_not_leave(here: Machine, tmp_path: Path) -> None:
    here.knows({"other.bin": b"elsewhere"}, "other")
    with pytest.raises(NotPulled, match="other"):
        exported(here, tmp_path / "voices.tar")


def test_bytes_that_change_behind_the_check_do_not_leave(here: Machine, tmp_path: Path) -> None:
    """Checked by what the system says, and hashed while they are written."""
    lock = read_locks(here.lock_file)["voice-v23"]
    before = (tmp_path / "voices.tar").write_bytes(b"an older export")

    def change(_count: int) -> None:
        for path in lock.files:
            blob = here.store.blob(path.sha256)
            blob.chmod(0o644)
            blob.write_bytes(bytes(path.size))

    with pytest.raises(LockMismatch, match="has sha256"):
        export_pins(here.store, Contents({lock.name: lock}, {}), tmp_path / "voices.tar", change)
    assert (tmp_path / "voices.tar").stat().st_size == before


@pytest.mark.parametrize("share", [0.0, 0.001, 0.3, 0.7, 0.95, 0.999])
def test_a_part_of_a_file_leaves_nothing(there: Machine, file: Path, share: float) -> None:
    whole = file.read_bytes()
    end = max(file_end(file), 1)
    file.write_bytes(whole[: int(end * share)])
    with pytest.raises(ArchiveRefused):
        taken_in(there, file)
    assert there.everything() == {}


def file_end(file: Path) -> int:
    """Where its last member ends; what follows is padding."""
    with tarfile.open(file, "r:") as tar:
        last = tar.getmembers()[-1]
    return last.offset_data + last.size


def test_a_file_with_wrong_bytes_is_quarantined_and_the_others_go_again(there: Machine, file: Path) -> None:
    there.has({"mine.bin": b"mine"}, "mine")
    before = there.everything()
    with tarfile.open(file, "r:") as tar:
        place = tar.getmember(member_of(MODEL)).offset_data
    content = bytearray(file.read_bytes())
    content[place + 1000] ^= 1
    file.write_bytes(content)
    with pytest.raises(WrongBytes, match=r"model\.bin from the archive has sha256"):
        taken_in(there, file)
    assert there.everything() == before
    assert len(list((there.store.root / "quarantine").glob("*.json"))) == 1


def test_an_import_that_is_interrupted_leaves_nothing(there: Machine, file: Path) -> None:
    left = [3]

    def interrupt(_count: int) -> None:
        left[0] -= 1
        if not left[0]:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        taken_in(there, file, on_bytes=interrupt)
    assert there.everything() == {}


def test_a_disk_that_is_too_small_is_said_before_anything_is_copied(there: Machine, file: Path) -> None:
    with pytest.raises(NotEnoughSpace):
        taken_in(there, file, free=lambda _folder: 1000)
    assert there.everything() == {}


def test_another_pin_of_that_name_stays_unless_it_is_to_be_replaced(there: Machine, file: Path) -> None:
    mine = there.has({"mine.bin": b"mine"}, "voice-v23")
    before = there.everything()
    with pytest.raises(AlreadyThere, match="voice-v23"):
        taken_in(there, file)
    assert there.everything() == before
    taken_in(there, file, replace=True)
    assert read_locks(there.lock_file)["voice-v23"] != mine
    verify(there.store, read_locks(there.lock_file)["voice-v23"])


def test_a_pin_that_the_catalog_says_something_else_of_stays_too(there: Machine, file: Path) -> None:
    there.knows(VOICE, "voice-v23")
    there.lock_file.unlink()
    there.catalog.write_text(there.catalog.read_text().replace('engine = "wobble"', 'engine = "other"'))
    done = there.models("import", file)
    assert (done.returncode, done.stdout) == (65, "")
    assert "--replace" in done.stderr
    assert there.models("import", file, "--replace").returncode == 0
    assert read_catalog(there.catalog)["voice-v23"].engine == "wobble"


def test_words_that_were_changed_here_stay_where_the_lock_is_the_same(there: Machine, file: Path) -> None:
    there.knows(VOICE, "voice-v23")
    there.catalog.write_text(there.catalog.read_text().replace("a test's", "ours, warmer"))
    taken_in(there, file)
    assert "ours, warmer" in read_catalog(there.catalog)["voice-v23"].description


def test_a_catalog_that_cannot_be_edited_leaves_everything_as_it_was(there: Machine, file: Path) -> None:
    there.knows({"other.bin": b"elsewhere"}, "other")
    there.catalog.write_text(
        'schema = 1\npins = {other = {engine = "w", components = [{role = "m", sources = [{url = "u"}]}]}}\n'
    )
    before = there.everything()
    done = there.models("import", file)
    assert done.returncode == 78
    assert "add this yourself" in done.stderr
    assert there.everything() == before


def test_two_imports_at_once_lose_neither_pin(here: Machine, there: Machine, tmp_path: Path) -> None:
    locks, entries = read_locks(here.lock_file), read_catalog(here.catalog)
    files = [tmp_path / f"{name}.tar" for name in locks]
    for name, file in zip(locks, files, strict=True):
        export_pins(here.store, Contents({name: locks[name]}, {name: entries[name]}), file)
    with ThreadPoolExecutor() as pool:
        list(pool.map(lambda file: taken_in(there, file), files))
    for lock in locks.values():
        verify(there.store, lock, whole=True)
    assert read_locks(there.lock_file) == locks
    assert read_catalog(there.catalog) == entries
