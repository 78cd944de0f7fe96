"""Who may take how much memory: reservations that live as long as their holders, and what pins need by measurement."""

from __future__ import annotations

import fcntl
import os
import signal
import subprocess
import sys
from multiprocessing import get_context
from pathlib import Path

import pytest

from services.worker.memory.amounts import Amount
from services.worker.memory.budget import BARE_HOST, Caps
from services.worker.memory.devices import Device, gpu, machine, rss_mb
from services.worker.memory.footprints import Footprint, Footprints, length_class
from services.worker.memory.ledger import Ledger
from tests.worker.budgets import budget

GPU = Device("GPU-1", "a GPU", 1_000.0)
LOCK = "a" * 64


@pytest.fixture
def ledger(tmp_path: Path) -> Ledger:
    return Ledger(tmp_path, GPU)


def holder(fd: int) -> subprocess.Popen[bytes]:
    """A process that has the file open, and does nothing."""
    return subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"], pass_fds=[fd])


def test_reservations_never_exceed_the_device(ledger: Ledger) -> None:
    held = [ledger.reserve(300) for _ in range(4)]
    assert [one is not None for one in held] == [True, True, True, False]
    assert ledger.taken_mb() == 900


def test_what_is_released_is_free_for_others(ledger: Ledger) -> None:
    held = ledger.reserve(800)
    assert held is not None
    assert ledger.reserve(300) is None
    held.release()
    assert ledger.reserve(300) is not None


def test_a_reservation_grows_only_where_there_is_room(ledger: Ledger) -> None:
    first, second = ledger.reserve(300), ledger.reserve(300)
    assert first is not None
    assert second is not None
    assert not first.resize(800)
    assert first.resize(600)
    assert not second.resize(500)
    assert ledger.taken_mb() == 900


def test_a_reservation_lives_as_long_as_the_process_that_was_given_it(ledger: Ledger) -> None:
    held = ledger.reserve(600)
    assert held is not None
    child = holder(held.fd)
    held.release()  # as when the worker around a host is killed
    assert ledger.taken_mb() == 600
    child.send_signal(signal.SIGKILL)
    child.wait()
    assert ledger.taken_mb() == 0


def _grab(folder: Path, said: Path) -> None:
    ledger = Ledger(folder, GPU)
    while (held := ledger.reserve(10)) is not None:
        _say(said, f"{held.mb}")
    _say(said, "full")
    signal.pause()


def _say(said: Path, word: str) -> None:
    with said.open("a") as file:
        file.write(f"{word}\n")


def test_many_processes_at_once_share_out_no_more_than_there_is_and_killed_ones_give_it_back(tmp_path: Path) -> None:
    said = tmp_path / "said"
    said.touch()
    processes = [get_context("fork").Process(target=_grab, args=(tmp_path, said)) for _ in range(6)]
    for one in processes:
        one.start()
    ledger = Ledger(tmp_path, GPU)
    while said.read_text().count("full") < len(processes):
        assert all(one.is_alive() for one in processes)
    assert ledger.taken_mb() == 1_000
    for one in processes:
        assert one.pid is not None
        os.kill(one.pid, signal.SIGKILL)
        one.join()
    assert ledger.taken_mb() == 0
    assert said.read_text().count("10") == 100


def test_the_same_process_number_in_another_container_is_somebody_else(ledger: Ledger) -> None:
    assert ledger.reserve(900) is not None
    with ledger.wanting(500):
        assert not ledger.wanted_by_others(0.0)
    fd = os.open(ledger.folder / f"wanted-elsewhere-{os.getpid()}-1", os.O_RDWR | os.O_CREAT)
    fcntl.flock(fd, fcntl.LOCK_EX)
    os.write(fd, b"500.0")
    assert ledger.wanted_by_others(0.0)
    os.close(fd)
    assert not ledger.wanted_by_others(0.0)


def test_a_budget_keeps_to_the_caps_of_its_worker_though_the_machine_has_more(tmp_path: Path) -> None:
    purse = budget(tmp_path, 10_000, caps=Caps(memory_mb=500))
    held = purse.reserve(Amount(400))
    assert held is not None
    assert purse.reserve(Amount(200)) is None
    assert not held.resize(Amount(600))
    assert purse.room == Amount(500)


def test_what_a_gpu_has_no_room_for_takes_no_room_on_the_machine(tmp_path: Path) -> None:
    purse = budget(tmp_path, 10_000, gpu_mb=1_000)
    assert purse.reserve(Amount(100, 2_000)) is None
    held = purse.reserve(Amount(10_000, 1_000))
    assert held is not None
    assert not held.resize(Amount(10_000, 1_001))
    assert held.amount == Amount(10_000, 1_000)


def test_a_host_that_cannot_have_more_of_one_gives_back_nothing_of_the_other(tmp_path: Path) -> None:
    purse = budget(tmp_path, 10_000, gpu_mb=1_000)
    held = purse.reserve(Amount(8_000, 500))
    assert held is not None
    assert not held.resize(Amount(1_000, 1_001))
    assert held.amount == Amount(8_000, 500)
    assert purse.reserve(Amount(2_001, 0)) is None


def test_a_pin_that_was_never_loaded_is_expected_to_take_what_its_files_say(tmp_path: Path) -> None:
    purse = budget(tmp_path, 10_000)
    assert purse.expected(LOCK, 0, 100).rss_mb == pytest.approx(BARE_HOST.rss_mb * 1.25)
    assert purse.expected(LOCK, 1_000, 100).rss_mb > 1_200
    assert purse.expected(LOCK, 50_000, 100) == purse.room  # it is tried


def test_what_was_measured_counts_from_then_on(tmp_path: Path) -> None:
    purse = budget(tmp_path, 10_000)
    purse.loaded(LOCK, Amount(700))
    purse.spoke(LOCK, 100, Amount(50))
    assert purse.expected(LOCK, 1_000, 100) == Amount(750)


@pytest.mark.parametrize(("chars", "besides"), [(10, 20), (64, 20), (65, 30), (128, 30), (500, 120)])
def test_lengths_are_told_apart_and_longer_ones_than_measured_are_reckoned_with(chars: int, besides: float) -> None:
    measured = Footprint(Amount(100), {64: Amount(20), 128: Amount(30)})
    assert measured.besides(chars) == Amount(besides)


def test_lengths_are_powers_of_two() -> None:
    assert [length_class(chars) for chars in (1, 64, 65, 400, 4_000)] == [64, 64, 128, 512, 4_096]


def test_the_largest_of_several_measurements_is_kept_whoever_made_it(tmp_path: Path) -> None:
    ours, theirs = Footprints(tmp_path, "a GPU"), Footprints(tmp_path, "a GPU")
    ours.loaded(LOCK, Amount(500))
    theirs.loaded(LOCK, Amount(800))
    ours.spoke(LOCK, 10, Amount(20))
    assert Footprints(tmp_path, "a GPU").of(LOCK) == Footprint(Amount(800), {64: Amount(20)})
    assert Footprints(tmp_path, "another GPU").of(LOCK) is None


def test_the_machine_says_what_it_has() -> None:
    assert machine().total_mb > rss_mb(os.getpid()) > 1


@pytest.mark.parametrize(("visible", "name"), [(None, "GPU-a"), ("1", "GPU-b"), ("GPU-b", "GPU-b"), ("", None)])
def test_the_gpu_is_the_one_that_hosts_will_see(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, visible: str | None, name: str | None
) -> None:
    tool = tmp_path / "nvidia-smi"
    tool.write_text("#!/bin/sh\necho '0, GPU-a, NVIDIA H200, 143771'\necho '1, GPU-b, NVIDIA H200, 143771'\n")
    tool.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    found = gpu({} if visible is None else {"CUDA_VISIBLE_DEVICES": visible})
    assert (found.name if found else None) == name


def test_no_tool_means_no_gpu(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    assert gpu({}) is None
