"""What cannot be broken for a whole process here, broken for one look: clocks, disks, containers, other Pythons."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Sequence
from pathlib import Path

import pytest

from services.doctor.checks.folders import Space, private, room
from services.doctor.checks.memory import memory, memory_here
from services.doctor.checks.packages import wheels
from services.doctor.checks.ports import gateway_port
from services.doctor.checks.process import python
from services.doctor.checks.redis_server import clock, redis
from services.doctor.checks.requirements import installed_requirements
from services.doctor.checks.sandbox import sandbox
from services.doctor.checks.weights import WeightsSeen, locks
from services.doctor.children import ChildOutput, NoAnswer, TooSlow
from services.doctor.findings import Finding, FindingStatus
from services.doctor.report import worst
from shared.weights.store import WeightStore
from tests.doctor.breakages import a_redis, a_web_server, catalog, locked, pulled

GIB = 1 << 30


def only(findings: object) -> Finding:
    (finding,) = findings  # type: ignore[misc]
    return finding


def no_card(argv: Sequence[str], timeout_s: float) -> ChildOutput:
    raise NoAnswer("nvidia-smi is not installed")


def a_card(argv: Sequence[str], timeout_s: float) -> ChildOutput:
    return ChildOutput(0, "NVIDIA A2, 570.86.15, 15356\n", "")


def test_another_python_is_told_which_is_needed() -> None:
    finding = only(python((3, 13)))
    assert finding.status is FindingStatus.FAIL
    assert "this is Python 3.13, but Ringtrue needs 3.11" in finding.says


def test_a_clock_that_is_ahead(tmp_path: Path) -> None:
    with a_redis(tmp_path) as url:
        ahead, behind, right = (only(clock(url, lambda by=by: time.time() + by)) for by in (30.0, -30.0, 0.0))
    assert (ahead.status, behind.status, right.status) == (FindingStatus.WARN, FindingStatus.WARN, FindingStatus.OK)
    assert "ahead of Redis" in ahead.says
    assert "behind Redis" in behind.says


@pytest.mark.parametrize(("append", "words"), [("yes", "append-only file on"), ("no", "append-only file off")])
def test_whether_redis_keeps_its_wake_ups_is_said(tmp_path: Path, append: str, words: str) -> None:
    with a_redis(tmp_path, "--appendonly", append) as url:
        finding = only(redis(url))
    assert finding.status is FindingStatus.OK
    assert words in finding.says


@pytest.mark.parametrize(
    ("free", "status"), [(200 << 20, FindingStatus.FAIL), (GIB, FindingStatus.WARN), (50 * GIB, FindingStatus.OK)]
)
def test_the_less_room_the_worse(tmp_path: Path, free: int, status: FindingStatus) -> None:
    space = Space("data", tmp_path / "not" / "there" / "yet", 256 << 20, "the first databases and clips")
    assert only(room([space], lambda _: free)).status is status


def test_a_full_disk_says_what_is_needed(tmp_path: Path) -> None:
    finding = only(room([Space("data", tmp_path, 256 << 20, "clips")], lambda _: 12 << 20))
    assert finding.says == f"12 MiB free for data in {tmp_path}; 256 MiB are required for clips"


def machine(root: Path, gib: int, **groups: int | str) -> Path:
    """The files in which a system tells of its memory."""
    (root / "proc/self").mkdir(parents=True)
    (root / "proc/meminfo").write_text(f"MemTotal: {gib << 20} kB\nMemFree: 1 kB\n")
    (root / "proc/self/cgroup").write_text("0::/kubepods/pod/box\n")
    for path, limit in groups.items():
        file = root / "sys/fs/cgroup" / path.replace("_", "/") / "memory.max"
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(f"{limit}\n")
    return root


def test_a_container_has_what_it_is_given(tmp_path: Path) -> None:
    assert memory_here(machine(tmp_path, 64, kubepods_pod_box="max", kubepods=6 * GIB)) == 6 * GIB


def test_a_pin_too_large_for_the_container(tmp_path: Path) -> None:
    finding = only(memory({"indextts2-v23": 7 * GIB}, machine(tmp_path, 64, kubepods=6 * GIB), no_card))
    assert finding.status is FindingStatus.FAIL
    assert finding.says == "indextts2-v23 needs at least 7.0 GiB, but there are 6.0 GiB of memory"


def test_pins_that_must_take_turns_on_the_card(tmp_path: Path) -> None:
    finding = only(memory({"v21": 8 * GIB, "v23": 8 * GIB}, machine(tmp_path, 64), a_card))
    assert finding.status is FindingStatus.WARN
    assert "16.0 GiB together, but there are 15.0 GiB of graphics memory" in finding.says


def test_a_machine_too_small_for_the_scorer(tmp_path: Path) -> None:
    assert only(memory({}, machine(tmp_path, 1), no_card)).status is FindingStatus.WARN


def test_a_gateway_that_runs_already_is_no_fault() -> None:
    ready = {"/readyz": (503, {"status": "unavailable", "checks": {"store": "unreachable", "redis": "ok"}})}
    with a_web_server(ready) as url:
        finding = only(gateway_port("127.0.0.1", int(url.rpartition(":")[2])))
    assert finding.status is FindingStatus.OK
    assert "a gateway runs" in finding.says


def test_a_kernel_that_lets_nobody_close_the_network() -> None:
    told = json.dumps({"enforced": False, "how": "seccomp: Operation not permitted"})
    finding = only(sandbox((sys.executable, "-c", f"print({told!r})")))
    assert finding.status is FindingStatus.WARN
    assert "seccomp: Operation not permitted" in finding.says


def test_a_worker_that_cannot_tell_of_the_network() -> None:
    finding = only(sandbox((sys.executable, "-m", "no_such_worker")))
    assert finding.status is FindingStatus.WARN
    assert "No module named no_such_worker" in finding.says


def test_a_wheel_that_hangs() -> None:
    def hangs(names: Sequence[str], timeout_s: float) -> ChildOutput:
        raise NoAnswer(f"python did not end within {timeout_s:g} s")

    finding = only(wheels(['torch==2.13.0; extra == "core"'], 1, lambda _: "2.13.0+cu130", hangs))
    assert finding.status is FindingStatus.FAIL
    assert finding.says == "torch 2.13.0 cannot be imported: python did not end within 60 s"


def test_more_weights_than_can_be_read_in_passing(tmp_path: Path) -> None:
    catalog(tmp_path)
    blob = pulled(tmp_path, locked(tmp_path))
    blob.chmod(0o400)  # touched: its recorded state no longer holds
    weights = WeightsSeen(tmp_path / "catalog.toml", tmp_path / "catalog.lock", WeightStore(tmp_path / "models"))
    finding = only(locks(weights, reading_s=-1))
    assert finding.status is FindingStatus.WARN
    assert finding.do == "ringtrue models verify tiny-v21"


DECLARED = (
    'orjson==3.13.0; extra == "core"',
    'ringtrue[core]; extra == "worker"',
    'numpy==2.4.6; extra == "worker"',
    'ringtrue[core]; extra == "scorer"',
    'numpy==2.4.6; extra == "scorer"',
    'torch==2.13.0; extra == "scorer"',
    'scipy==1.17.1; extra == "scorer"',
    'psycopg[binary]==3.3.9; extra == "core"',
)


def names_needed(*there: str) -> set[str]:
    return {wanted.name for wanted in installed_requirements(DECLARED, lambda name: "1" if name in there else None)}


def test_an_extra_that_is_not_installed_is_not_missed() -> None:
    assert names_needed("orjson", "psycopg", "numpy") == {"orjson", "psycopg", "numpy"}


def test_what_is_missing_of_an_installed_extra_is_missed() -> None:
    assert "torch" in names_needed("orjson", "psycopg", "numpy", "scipy")


def test_an_installed_extra_brings_those_it_names() -> None:
    assert "psycopg" in names_needed("numpy")


@pytest.mark.parametrize("slow", range(0, 31, 10))
def test_what_there_was_no_time_for_is_no_failure(slow: int) -> None:
    """On a busy machine any number of imports come to no end: nobody knows, and nothing is to be installed again."""
    declared = [f"package-{number}==1.0; extra == 'core'" for number in range(30)]

    def load(names: Sequence[str], timeout_s: float) -> ChildOutput:
        if int(names[0].rpartition("_")[2]) < slow:
            raise TooSlow(f"python did not end within {timeout_s:g} s")
        return ChildOutput(0, "", "")

    findings = list(wheels(declared, 4, lambda _: "1.0", load))
    (finding,) = findings
    if not slow:
        assert finding.status is FindingStatus.OK
        return
    assert finding.status is FindingStatus.NOT_TRIED
    assert finding.says.startswith(f"{slow} of 30 packages were not checked")
    assert "install" not in finding.do
    assert worst([finding.status]) is not FindingStatus.FAIL


def test_what_fails_is_told_beside_what_was_not_tried() -> None:
    declared = ["broken==1.0; extra == 'core'", "slow==1.0; extra == 'core'", "fine==1.0; extra == 'core'"]

    def load(names: Sequence[str], timeout_s: float) -> ChildOutput:
        if names[0] == "slow":
            raise TooSlow("python did not end")
        return ChildOutput(int(names[0] == "broken"), "", "ImportError: no")

    statuses = [finding.status for finding in wheels(declared, 1, lambda _: "1.0", load)]
    assert statuses == [FindingStatus.FAIL, FindingStatus.NOT_TRIED]
    assert worst(statuses) is FindingStatus.FAIL


def test_an_open_data_folder_is_told(tmp_path: Path) -> None:
    tmp_path.chmod(0o755)
    finding = only(private(tmp_path))
    assert (finding.status, f"chmod 700 {tmp_path}" in finding.do) == (FindingStatus.WARN, True)
    tmp_path.chmod(0o700)
    assert only(private(tmp_path)).status is FindingStatus.OK
