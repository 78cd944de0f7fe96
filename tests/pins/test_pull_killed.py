"""`ringtrue models pull` as processes: killed, begun again, interrupted, and two at once."""

from __future__ import annotations

import json
import random
import signal
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from shared.weights.lock import PinLock, Source
from shared.weights.store import WeightStore
from shared.weights.verification import verify
from tests.model_stores import locked
from tests.pins.hub import Fault, Hub
from tests.pins.pulls import REPO, Machine, left_over, on_hub, quarantined, voice

KILLS = 20
SEED = 20260401
VOICE = voice(size=2_000_000)


@pytest.fixture
def machine(tmp_path: Path) -> Iterator[Machine]:
    machine = Machine(tmp_path / "data")
    yield machine
    machine.stop()


@pytest.fixture
def slow_hub(hub: Hub) -> Hub:
    """One that needs about half a second for the voice."""
    hub.slow_rate = 4_000_000
    hub.fail("*", Fault.SLOW)
    return hub


@pytest.fixture
def lock(machine: Machine, slow_hub: Hub) -> PinLock:
    """Of a voice below a URL of the slow hub."""
    slow_hub.repo(REPO).commit(VOICE)
    lock = locked("voice-v1", VOICE, Source(url=slow_hub.plain(REPO)))
    machine.lock(lock)
    return lock


def until_asked(hub: Hub, part: str) -> None:
    deadline = time.monotonic() + 30
    while not hub.asked(part):
        assert time.monotonic() < deadline, "the hub was never asked"
        time.sleep(0.005)


@pytest.mark.parametrize("moment_s", [random.Random(SEED + n).uniform(0, 0.6) for n in range(KILLS)])
def test_killed_at_any_moment_a_pull_begun_again_completes(
    machine: Machine, slow_hub: Hub, lock: PinLock, moment_s: float
) -> None:
    first = machine.start(lock.name)
    until_asked(slow_hub, "/plain/")
    time.sleep(moment_s)
    first.kill()
    first.communicate()
    there = sum(path.stat().st_size for path in _come(machine.store))
    asked = len(slow_hub.requests)
    slow_hub.mend()
    again = machine.pull(lock.name)
    assert again.returncode == 0, again.stderr
    verify(machine.store, lock, whole=True)
    assert left_over(machine.store) == []
    assert quarantined(machine.store) == []
    assert sum(request.sent for request in slow_hub.requests[asked:]) == lock.size - there


def test_two_pulls_at_once_make_one_download(machine: Machine, slow_hub: Hub, lock: PinLock) -> None:
    pulls = [machine.start(lock.name) for _ in range(2)]
    said = [pull.communicate(timeout=60) for pull in pulls]
    assert [pull.returncode for pull in pulls] == [0, 0], said
    for path in VOICE:
        assert len(slow_hub.asked(path)) == 1
    verify(machine.store, lock, whole=True)
    assert left_over(machine.store) == []


def test_the_one_that_waits_says_so_and_takes_over_from_one_that_is_killed(
    machine: Machine, slow_hub: Hub, lock: PinLock
) -> None:
    slow_hub.slow_rate = 400_000
    first = machine.start(lock.name)
    until_asked(slow_hub, "model.bin")
    second = machine.start(lock.name)
    assert second.stderr is not None
    while "another pull is fetching it; waiting" not in second.stderr.readline():
        assert second.poll() is None
    slow_hub.mend()
    first.kill()
    second.communicate(timeout=60)
    assert second.returncode == 0
    verify(machine.store, lock, whole=True)


def test_ctrl_c_says_that_the_next_pull_goes_on(machine: Machine, slow_hub: Hub, lock: PinLock) -> None:
    slow_hub.fail("model.bin", Fault.STALLED)
    process = machine.start(lock.name)
    until_asked(slow_hub, "model.bin")
    time.sleep(0.5)
    process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=10)
    assert process.returncode == 130
    assert "the next pull continues from there" in err
    assert "Traceback" not in err
    slow_hub.mend()
    assert machine.pull(lock.name).returncode == 0
    assert slow_hub.asked("model.bin")[-1].sent == len(VOICE["model.bin"]) // 2


def test_the_answer_says_what_came_whence_and_what_was_saved(machine: Machine, hub: Hub) -> None:
    v21, v23 = (on_hub(hub, voice(seed), name=f"voice-v{seed}") for seed in (21, 23))
    machine.lock(v21, v23)
    assert machine.pull(v21.name, HF_ENDPOINT=hub.url).returncode == 0
    answer = machine.pull(v23.name, "--json", HF_ENDPOINT=hub.url)
    document = json.loads(answer.stdout)
    assert (document["state"], document["saved_files"], document["shared_with"]) == ("verified", 2, [v21.name])
    assert (document["shared_files"], document["shared_bytes"]) == (2, v23.size - len(voice()["model.bin"]))
    (fetched,) = document["fetched"]
    assert fetched["path"] == "model.bin"
    assert document["sources"] == {fetched["from"]: {"files": 1, "bytes": len(voice()["model.bin"])}}
    told = machine.pull(v23.name).stdout
    assert "3 already here (400.0 kB), 2 of them (100.0 kB) shared with voice-v21" in told


def test_every_pin_is_pulled_where_none_is_named(machine: Machine, hub: Hub) -> None:
    v21, v23 = (on_hub(hub, voice(seed), name=f"voice-v{seed}") for seed in (21, 23))
    empty = machine.pull(HF_ENDPOINT=hub.url)
    assert (empty.returncode, "ringtrue models lock" in empty.stderr) == (66, True)
    machine.lock(v21, v23)
    answer = machine.pull("--json", HF_ENDPOINT=hub.url)
    assert [json.loads(line)["pin"] for line in answer.stdout.splitlines()] == [v21.name, v23.name]
    assert answer.returncode == 0


def test_sources_of_the_command_line_come_first_and_the_locks_after_them(
    machine: Machine, hub: Hub, tmp_path: Path
) -> None:
    lock = on_hub(hub, voice())
    machine.lock(lock)
    share = tmp_path / "share"
    share.mkdir()
    (share / "config.json").write_bytes(voice()["config.json"])
    (share / "model.bin").write_bytes(bytes(len(voice()["model.bin"])))
    answer = machine.pull(lock.name, "--from", str(share), "--json", HF_ENDPOINT=hub.url)
    source_name = {fetched["path"]: fetched["from"] for fetched in json.loads(answer.stdout)["fetched"]}
    assert source_name["config.json"] == f"folder {share}"
    assert hub.url in source_name["model.bin"]
    assert quarantined(machine.store)[0]["from"] == f"folder {share}"
    assert hub.asked("config.json") == []


def test_a_mirror_is_asked_before_the_hub_and_no_byte_goes_another_way(machine: Machine, hub: Hub) -> None:
    lock = on_hub(hub, voice())
    machine.lock(lock)
    answer = machine.pull(lock.name, "--from", hub.url, "--json", HF_ENDPOINT="http://127.0.0.1:9")
    assert hub.url in next(iter(json.loads(answer.stdout)["sources"]))
    assert answer.returncode == 0


def test_offline_the_hub_is_not_asked(machine: Machine, hub: Hub) -> None:
    lock = on_hub(hub, voice())
    machine.lock(lock)
    answer = machine.pull(lock.name, HF_ENDPOINT=hub.url, HF_HUB_OFFLINE="1")
    assert answer.returncode == 76
    assert hub.requests == []


def test_what_cannot_be_pulled_is_a_line_for_each_file_and_not_done(machine: Machine, hub: Hub) -> None:
    lock = on_hub(hub, voice())
    machine.lock(lock)
    hub.fail("model.bin", Fault.WRONG)
    answer = machine.pull(lock.name, "--json", HF_ENDPOINT=hub.url)
    assert answer.returncode == 76
    assert json.loads(answer.stdout)["state"] == "not_pulled"
    assert (
        len([line for line in answer.stderr.splitlines() if line.startswith("voice-v1: model.bin cannot be fetched")])
        == 1
    )
    assert "Traceback" not in answer.stderr


def test_a_pin_without_a_lock_is_told(machine: Machine) -> None:
    answer: subprocess.CompletedProcess[str] = machine.pull("nobody")
    assert answer.returncode == 66
    assert "nobody" in answer.stderr


def _come(store: WeightStore) -> list[Path]:
    """What has come of files, and of those under way."""
    return [path for path in (*store.partial("").glob("*"), *store.root.glob("blobs/*/*/*")) if path.is_file()]
