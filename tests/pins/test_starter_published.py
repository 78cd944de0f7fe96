"""The starter set from the registries that publish it: killed in the middle, continued, and pulled once more."""

from __future__ import annotations

import signal
import subprocess
import time
from pathlib import Path

import pytest

from tests.example_pins import PULL_S, pull_command, pulled_or_skipped, settings_of
from tests.pins.machine import Machine
from tests.pins.test_starter import NAMES

SEEN_BYTES = 1 << 20


def received(machine: Machine) -> int:
    """Bytes of archives and of files that have come by now."""
    found = [path for path in machine.data.rglob("*") if path.is_file() and not path.is_symlink()]
    return sum(path.stat().st_size for path in found)


@pytest.mark.timeout(3 * PULL_S)
def test_a_pull_that_is_killed_leaves_no_pin_and_the_next_one_goes_on(tmp_path: Path) -> None:
    machine = Machine(tmp_path / "new" / "data")
    killed = subprocess.Popen(
        pull_command("starter"), env=settings_of(machine.data), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    ends = time.monotonic() + PULL_S
    while killed.poll() is None and received(machine) < SEEN_BYTES and time.monotonic() < ends:
        time.sleep(0.02)
    killed.send_signal(signal.SIGKILL)
    if killed.wait() != -signal.SIGKILL or received(machine) < SEEN_BYTES:
        pytest.skip("the packages cannot be had, or came before the kill")
    assert not machine.catalog.exists()
    assert not machine.lock_file.exists()

    done = pulled_or_skipped("starter", machine.data)
    assert "Added to " in done.stderr
    assert [line.partition(":")[0] for line in done.stdout.splitlines()] == NAMES
    states = {standing["pin"]: standing["state"] for standing in machine.documents("list")}
    assert states == dict.fromkeys(NAMES, "verified")
    assert [line.split()[:4] for line in done.stderr.splitlines()[-2:]] == [
        ["ringtrue", "say", '"The', "train"],
        ["ringtrue", "say", '"图书馆下午五点关门，请大家抓紧时间。"', "--pin"],
    ]

    before = machine.everything()
    again = pulled_or_skipped("starter", machine.data)
    assert again.stderr.splitlines()[0] == "The starter set is here already; nothing was changed."
    assert machine.everything() == before
