"""What is refused before anything is started: one line, a code from 64 up."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from stack_process import ROOT

from services.embedded.errors import DiskFull, FolderUnwritable, PortUnusable, StackError
from services.embedded.journal import View
from services.embedded.lifecycle import Plan, bring_up
from services.embedded.preflight import check_port, free_port, prepare_folder

RINGTRUE = Path(sys.executable).with_name("ringtrue")


@pytest.fixture
def taken_port() -> Iterator[int]:
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield server.getsockname()[1]


def ringtrue(*arguments: str, **settings: str) -> subprocess.CompletedProcess[str]:
    environ = {name: value for name, value in os.environ.items() if not name.startswith(("RINGTRUE_", "MLFLOW_"))}
    argv = [str(RINGTRUE), *arguments]
    return subprocess.run(
        argv, env=environ | settings, capture_output=True, text=True, cwd=ROOT, timeout=60, check=False
    )


def test_a_taken_port_is_said_with_its_owner(tmp_path: Path, taken_port: int) -> None:
    done = ringtrue("up", "--port", str(taken_port), "--data", str(tmp_path))
    assert done.returncode == os.EX_UNAVAILABLE
    (line,) = done.stderr.splitlines()
    assert f"port {taken_port} on 127.0.0.1 is taken by " in line
    assert f"(pid {os.getpid()})" in line
    assert not (tmp_path / "stack.json").exists()


def test_a_file_in_the_place_of_the_folder_is_said(tmp_path: Path) -> None:
    (tmp_path / "data").write_text("")
    done = ringtrue("up", "--data", str(tmp_path / "data"))
    assert done.returncode == os.EX_CANTCREAT
    (line,) = done.stderr.splitlines()
    assert f"cannot write the data folder {tmp_path / 'data'}" in line


def test_a_folder_without_write_permission_is_said(tmp_path: Path) -> None:
    tmp_path.chmod(0o500)
    user = os.geteuid()
    if user == 0:  # who may write everywhere
        os.seteuid(65534)
    try:
        with pytest.raises(FolderUnwritable, match="Permission denied"):
            prepare_folder(tmp_path / "data")
    finally:
        os.seteuid(user)


def test_a_full_disk_is_said_before_anything_is_planned(tmp_path: Path) -> None:
    def plan() -> Plan:
        raise AssertionError("nothing may be planned on a full disk")

    with pytest.raises(DiskFull, match="only 12 MiB free"):
        bring_up(tmp_path, plan, View(sys.stderr), free=lambda _: 12 << 20)


def test_an_address_of_another_machine_is_said() -> None:
    with pytest.raises(PortUnusable, match=r"cannot listen on 192\.0\.2\.1"):
        check_port("192.0.2.1", 8000)


def test_a_free_port_is_found_beside_a_taken_one(taken_port: int) -> None:
    assert free_port(taken_port) not in (0, taken_port)


def test_down_where_nothing_runs_says_so_and_is_content(tmp_path: Path) -> None:
    done = ringtrue("down", "--data", str(tmp_path))
    assert done.returncode == 0
    assert f"no stack runs in {tmp_path}" in done.stderr


def test_a_misspelt_setting_is_warned_about(tmp_path: Path, taken_port: int) -> None:
    done = ringtrue("up", "--port", str(taken_port), "--data", str(tmp_path), RINGTRUE_REDIS_ULR="redis://127.0.0.1/0")
    assert "RINGTRUE_REDIS_ULR is not a setting; did you mean RINGTRUE_REDIS_URL?" in done.stderr


def test_every_refusal_has_a_code_that_is_no_verdict() -> None:
    assert all(refusal.exit_code >= os.EX_USAGE for refusal in StackError.__subclasses__())


def test_a_part_of_the_folder_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    (tmp_path / "logs").write_text("")
    with pytest.raises(FolderUnwritable, match="logs"):
        bring_up(tmp_path, lambda: Plan([], {}, {}, ""), View(sys.stderr))
    assert not (tmp_path / "stack.json").exists()
