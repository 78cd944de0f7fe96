"""Verify: what is right passes without being read twice, and of what is not, nothing passes."""

from __future__ import annotations

import os
import random
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from shared.weights.errors import FilesWrong, LockMismatch, NotPulled
from shared.weights.store import WeightStore
from shared.weights.verification import verified_at, verify
from tests.model_stores import bring
from tests.shared.weights.alterations import ALTERATIONS, flip
from tests.shared.weights.voices import VOICE, lock_of, pulled

NOBODY = 65534
SIZE = sum(map(len, VOICE.values()))


@pytest.mark.parametrize("number", range(200))
def test_no_altered_pin_passes(store: WeightStore, number: int) -> None:
    lock, chance = pulled(store), random.Random(number)
    alter = ALTERATIONS[number] if number < len(ALTERATIONS) else chance.choice(ALTERATIONS)
    alter(store, lock, chance)
    with pytest.raises(FilesWrong) as quick:
        verify(store, lock)
    with pytest.raises(FilesWrong) as whole:
        verify(store, lock, whole=True)
    for refused in (quick, whole):
        told = str(refused.value)
        assert told.startswith("voice-v1: ")
        assert "\n" not in told
        told.encode()


def test_what_a_pull_has_just_hashed_is_not_read_again(store: WeightStore) -> None:
    lock = pulled(store)
    assert verify(store, lock).hashed_bytes == 0
    assert verify(store, lock, whole=True).hashed_bytes == SIZE


def test_what_was_touched_is_read_again_once(store: WeightStore) -> None:
    lock = pulled(store)
    touched = store.blob(lock_of().components[0].files[1].sha256)
    os.utime(touched)
    assert verify(store, lock).hashed_bytes == len(VOICE["model.bin"])
    assert verify(store, lock).hashed_bytes == 0


def test_a_change_right_after_the_check_is_seen(store: WeightStore) -> None:
    """The system gives times in ticks: a file that is changed within the same one looks untouched by its times."""
    chance = random.Random(1)
    for number in range(30):
        lock = pulled(store, {"model.bin": chance.randbytes(100)}, f"voice-{number}")
        verify(store, lock, whole=True)
        blob = store.blob(next(lock.files).sha256)
        blob.chmod(0o644)
        before = blob.stat()
        flip(blob, chance)
        os.utime(blob, ns=(before.st_atime_ns, before.st_mtime_ns))
        with pytest.raises(LockMismatch):
            verify(store, lock)


def test_files_that_were_just_read_for_another_pin_are_not_read_twice(store: WeightStore) -> None:
    one, other = pulled(store), pulled(store, {**VOICE, "more.bin": b"more"}, "voice-v2")
    verify(store, one, whole=True)
    just_read = {file.sha256 for file in one.files}
    assert verify(store, other, whole=True, just_read=just_read).hashed_bytes == len(b"more")


def test_a_record_that_cannot_be_read_only_costs_time(store: WeightStore) -> None:
    lock = pulled(store)
    for note in (store.root / "checked").iterdir():
        note.write_text("{")
    assert verified_at(store, lock) is None
    assert verify(store, lock).hashed_bytes == SIZE
    assert verified_at(store, lock) is not None


def test_what_is_missing_is_counted_and_what_is_there_is_right(store: WeightStore) -> None:
    lock = lock_of()
    with pytest.raises(NotPulled, match=r"config\.json is missing \(and 4 more\)"):
        verify(store, lock)
    for path, content in VOICE.items():
        bring(store, path, content)
    with pytest.raises(NotPulled, match="the folder"):
        verify(store, lock)


def test_wrong_bytes_are_told_before_missing_ones(store: WeightStore) -> None:
    lock = pulled(store)
    config, model, *_ = lock.files
    store.blob(config.sha256).unlink()
    blob = store.blob(model.sha256)
    blob.chmod(0o644)
    flip(blob, random.Random(1))
    with pytest.raises(LockMismatch, match=r"model\.bin has sha256 .*, but the lock says"):
        verify(store, lock)


def test_all_that_is_wrong_is_kept_and_the_first_is_said(store: WeightStore) -> None:
    lock = pulled(store)
    for name in ("a.py", "b.py"):
        (store.snapshot(lock) / name).write_text("")
    with pytest.raises(LockMismatch, match=r"a\.py is not in the lock \(and 1 more\)") as refused:
        verify(store, lock)
    assert list(refused.value.every) == ["a.py is not in the lock", "b.py is not in the lock"]


def test_progress_counts_every_byte_that_is_read(store: WeightStore) -> None:
    lock, counted = pulled(store), list[int]()
    verify(store, lock, whole=True, on_bytes=counted.append)
    assert sum(counted) == SIZE


@contextmanager
def nobody_special() -> Iterator[None]:
    """Root may read everything: as another user, where the tests run as root."""
    root = os.geteuid() == 0
    if root:
        os.seteuid(NOBODY)
    try:
        yield
    finally:
        if root:
            os.seteuid(0)


@pytest.mark.parametrize("unreadable", ["snapshot", "file"])
def test_what_may_not_be_read_does_not_pass(unreadable: str) -> None:
    with tempfile.TemporaryDirectory() as folder:
        Path(folder).chmod(0o755)
        store = WeightStore(Path(folder) / "models")
        lock = pulled(store)
        path = store.snapshot(lock) if unreadable == "snapshot" else store.blob(next(lock.files).sha256)
        path.chmod(0)
        with nobody_special(), pytest.raises(LockMismatch, match="read"):
            verify(store, lock, whole=True)
        path.chmod(0o755)
