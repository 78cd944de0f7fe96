"""The files of the memory ledger and of footprints: whole or not there, and junk in them stops nobody."""

from __future__ import annotations

import fcntl
import json
import os
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from services.worker.memory.amounts import Amount
from services.worker.memory.devices import Device
from services.worker.memory.footprints import Footprints
from services.worker.memory.ledger import UNKNOWN_SHARE, Ledger
from tests.small_disk import fill

GPU = Device("GPU-1", "a GPU", 1_000.0)
LOCK = "a" * 64
JUNK = st.sampled_from([b"", b"\0" * 32, b"nan", b"inf", b"-5", b"1e999", b"half a nu", b"\xff\xfe"]) | st.binary(
    max_size=40
)


def names(folder: Path) -> list[str]:
    return os.listdir(folder)


def test_without_space_nothing_is_reserved_and_nothing_is_left(small_disk: Path) -> None:
    ledger = Ledger(small_disk, GPU)
    held = ledger.reserve(300)
    assert held is not None
    filler = fill(small_disk)
    for _ in range(3):
        with pytest.raises(OSError, match="No space left"):
            ledger.reserve(100)
    with ledger.wanting(100):
        pass
    assert names(ledger.folder) == [held.path.name]
    assert ledger.taken_mb() == 300
    assert held.resize(200)
    filler.unlink()
    assert ledger.reserve(100) is not None
    assert ledger.taken_mb() == 300


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=40, deadline=None)
@given(JUNK)
def test_what_somebody_holds_and_nobody_can_read_counts_for_a_share(tmp_path: Path, junk: bytes) -> None:
    ledger = Ledger(tmp_path, GPU)
    path = ledger.folder / "unreadable"
    path.write_bytes(junk)
    with path.open("rb") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        try:
            taken = float(junk)
        except ValueError:
            taken = -1.0
        sound = 0 <= taken < float("inf")
        assert ledger.taken_mb() == (taken if sound else UNKNOWN_SHARE * ledger.capacity_mb)
        assert not ledger.wanted_by_others(0.0)
    assert ledger.taken_mb() == 0
    assert not path.exists()


def test_a_folder_that_was_removed_is_made_again(tmp_path: Path) -> None:
    ledger = Ledger(tmp_path, GPU)
    held = ledger.reserve(300)
    assert held is not None
    held.path.unlink()
    ledger.folder.rmdir()
    assert ledger.taken_mb() == 0
    assert ledger.reserve(300) is not None
    held.release()


FOOTPRINTS = st.one_of(
    st.binary(max_size=60),
    st.recursive(
        st.none() | st.integers() | st.floats() | st.text(max_size=5),
        lambda inner: (
            st.lists(inner, max_size=3)
            | st.dictionaries(st.sampled_from(["loaded", "extra", "rss_mb", "vram_mb", "64", "x"]), inner, max_size=4)
        ),
        max_leaves=12,
    ).map(lambda value: json.dumps(value).encode()),
)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=100, deadline=None)
@given(FOOTPRINTS)
def test_what_is_no_measurement_counts_as_none_and_is_measured_anew(tmp_path: Path, said: bytes) -> None:
    (tmp_path / "cpu").mkdir(exist_ok=True)
    (tmp_path / "cpu" / f"{LOCK}.json").write_bytes(said)
    Footprints(tmp_path, "cpu").of(LOCK)
    measured = Footprints(tmp_path, "cpu")
    measured.loaded(LOCK, Amount(100.0))
    measured.spoke(LOCK, 60, Amount(10.0))
    known = Footprints(tmp_path, "cpu").of(LOCK)
    assert known is not None
    assert known.loaded.rss_mb >= 100


def test_a_measurement_that_finds_no_space_is_known_here_all_the_same(small_disk: Path) -> None:
    footprints = Footprints(small_disk, "cpu")
    footprints.loaded(LOCK, Amount(100.0))
    filler = fill(small_disk)
    footprints.loaded("b" * 64, Amount(200.0))
    footprints.spoke(LOCK, 60, Amount(50.0))
    assert footprints.of("b" * 64) is not None
    filler.unlink()
    assert Footprints(small_disk, "cpu").of("b" * 64) is None
    again = Footprints(small_disk, "cpu").of(LOCK)
    assert again is not None
    assert again.loaded == Amount(100.0)
