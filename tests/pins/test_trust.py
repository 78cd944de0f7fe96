"""A pin that runs code of its repository is trusted by name, on each machine: however it arrives, its own word for it
is not enough."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from services.worker.pins.catalog_pins import CatalogPins
from shared.weights.catalog_file import Entry, Wanted
from shared.weights.catalog_text import put_entries
from shared.weights.lock import PinLock, read_locks, write_locks
from shared.weights.trust import CodeNotTrusted, trust, trusted, trusted_file, untrusted
from tests.model_stores import pull
from tests.pins.machine import Machine, exported
from tests.shared.weights.voices import HUB, VOICE, lock_of

PIN = "voice-v1"
REFUSED = 65
FLAG = ("--trust-remote-code", PIN)
CODE = {**VOICE, "modeling_voice.py": b"raise SystemExit('ran')\n"}


def with_code(machine: Machine, name: str = PIN) -> PinLock:
    """The pin is in the catalog, locked and in the store, as some other hand has left it."""
    machine.data.mkdir(parents=True, exist_ok=True)
    lock = lock_of(CODE, name, trust_remote_code=True)
    put_entries(machine.catalog, [Entry(name, lock.engine, (Wanted("model", (HUB,)),), trust_remote_code=True)])
    write_locks(machine.lock_file, {**read_locks(machine.lock_file), name: lock})
    pull(machine.store, lock, CODE)
    return lock


@pytest.fixture
def there(tmp_path: Path) -> Machine:
    """Has nothing yet."""
    return Machine(tmp_path / "there")


def by_archive(tmp_path: Path, there: Machine, *more: str) -> list[str | Path]:
    here = Machine(tmp_path / "here")
    with_code(here)
    return ["import", exported(here, tmp_path / "voices.tar"), *more]


def by_archive_in_place_of_another(tmp_path: Path, there: Machine) -> list[str | Path]:
    there.has(VOICE, PIN)
    return by_archive(tmp_path, there, "--replace")


def by_files_that_were_copied(tmp_path: Path, there: Machine) -> list[str | Path]:
    here = Machine(tmp_path / "here")
    with_code(here)
    shutil.copytree(here.data, there.data, symlinks=True)
    return ["pull", PIN]


def by_an_entry(tmp_path: Path, there: Machine) -> list[str | Path]:
    there.data.mkdir()
    entry = Entry(PIN, "transformers", (Wanted("model", (HUB,)),), trust_remote_code=True)
    put_entries(there.catalog, [entry])
    return ["lock"]


def by_an_entry_that_was_edited(tmp_path: Path, there: Machine) -> list[str | Path]:
    there.has(VOICE, PIN)
    put_entries(there.catalog, [Entry(PIN, "transformers", (Wanted("model", (HUB,)),), trust_remote_code=True)])
    return ["lock", "--update", PIN]


WAYS = [
    by_archive,
    by_archive_in_place_of_another,
    by_files_that_were_copied,
    by_an_entry,
    by_an_entry_that_was_edited,
]
Way = Callable[[Path, Machine], list[str | Path]]


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("flag", [(), ("--trust-remote-code", "another-v1")], ids=["no flag", "another pin's"])
def test_it_is_refused_however_it_comes(way: Way, flag: tuple[str, ...], tmp_path: Path, there: Machine) -> None:
    command = way(tmp_path, there)
    before = there.everything() if there.data.exists() else {}
    done = there.models(*command, *flag)
    assert done.returncode == REFUSED, done.stdout + done.stderr
    assert f"--trust-remote-code {PIN}" in done.stderr
    assert (there.everything() if there.data.exists() else {}) == before
    assert not trusted_file(there.lock_file).exists()


@pytest.mark.parametrize("way", [by_archive, by_archive_in_place_of_another, by_files_that_were_copied])
def test_it_is_taken_where_it_is_named_and_its_worker_serves_it(way: Way, tmp_path: Path, there: Machine) -> None:
    done = there.models(*way(tmp_path, there), *FLAG)
    assert done.returncode == 0, done.stdout + done.stderr
    lock = read_locks(there.lock_file)[PIN]
    assert trusted(there.lock_file) == {lock.sha256}
    assert CatalogPins(there.store, there.lock_file).snapshot(lock).trust_remote_code


def test_a_worker_serves_none_that_nobody_has_trusted(there: Machine) -> None:
    lock = with_code(there)
    with pytest.raises(CodeNotTrusted, match=f"models pull {PIN} --trust-remote-code {PIN}"):
        CatalogPins(there.store, there.lock_file).snapshot(lock)


def test_a_pin_that_is_locked_anew_has_to_be_trusted_anew(there: Machine) -> None:
    lock = with_code(there)
    trust(there.lock_file, [lock])
    other = lock_of({**CODE, "modeling_voice.py": b"import os\n"}, PIN, trust_remote_code=True)
    assert untrusted(there.lock_file, [lock]) == []
    assert untrusted(there.lock_file, [other]) == [PIN]
    assert untrusted(there.lock_file, [other], named=["another"]) == [PIN]


def test_trust_does_not_travel(tmp_path: Path, there: Machine) -> None:
    here = Machine(tmp_path / "here")
    trust(here.lock_file, [with_code(here)])
    assert there.models("import", exported(here, tmp_path / "voices.tar")).returncode == REFUSED


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b'{"schema": 2, "locks": {}}', b'{"schema": 1}', b"\xff\xfe"])
def test_a_file_that_cannot_be_read_trusts_nobody(content: bytes, there: Machine) -> None:
    lock = with_code(there)
    trusted_file(there.lock_file).write_bytes(content)
    assert untrusted(there.lock_file, [lock]) == [PIN]
    trust(there.lock_file, [lock])
    assert untrusted(there.lock_file, [lock]) == []


def test_the_list_shows_what_runs_code_and_whether_it_is_trusted(there: Machine) -> None:
    there.has(VOICE, "plain-v1")
    trust(there.lock_file, [with_code(there, "known-v1")])
    with_code(there)
    told = {one["pin"]: (one["trust_remote_code"], one["trusted"]) for one in there.documents("list")}
    assert told == {"plain-v1": (False, False), "known-v1": (True, True), PIN: (True, False)}
    assert "NOT TRUSTED" in there.models("list").stdout
