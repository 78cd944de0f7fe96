"""What is refused before anything is started: one line, a code from 64 up."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from services.embedded.errors import DiskFull, FolderUnwritable, PortUnusable, StackError
from services.embedded.lifecycle import Plan, bring_up
from services.embedded.parts.mlflow_server import listen_for_mlflow
from services.embedded.preflight import listen_near, listen_on, prepare_folder
from services.embedded.processes.journal import View
from tests.embedded.stack_process import ROOT

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
    assert f"port {taken_port} on 127.0.0.1 is in use by " in line
    assert f"(pid {os.getpid()})" in line
    assert not (tmp_path / "stack.json").exists()


def test_a_file_in_the_place_of_the_folder_is_said(tmp_path: Path) -> None:
    (tmp_path / "data").write_text("")
    done = ringtrue("up", "--data", str(tmp_path / "data"))
    assert done.returncode == os.EX_CANTCREAT
    (line,) = done.stderr.splitlines()
    assert f"cannot write to the data folder {tmp_path / 'data'}" in line


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
        listen_on("192.0.2.1", 8000)


def test_a_free_port_is_found_beside_a_taken_one(taken_port: int) -> None:
    with listen_near(taken_port) as listening:
        assert listening.getsockname()[1] not in (0, taken_port)


def test_down_where_nothing_runs_says_so_and_is_content(tmp_path: Path) -> None:
    done = ringtrue("down", "--data", str(tmp_path))
    assert done.returncode == 0
    assert f"no stack runs in {tmp_path}" in done.stderr
    assert "ringtrue down --data FOLDER" in done.stderr


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


@pytest.mark.parametrize("command", ["up", "down"])
@pytest.mark.parametrize("folder", ["n" * 300, "/".join(["d" * 250] * 20)], ids=["name", "path"])
def test_a_path_that_is_too_long_for_the_system_is_said(tmp_path: Path, command: str, folder: str) -> None:
    done = ringtrue(command, "--data", str(tmp_path / folder))
    assert done.returncode == os.EX_CANTCREAT
    assert "File name too long" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_path_that_a_database_cannot_be_named_by_is_refused(tmp_path: Path) -> None:
    """The database would be another file, outside of the folder."""
    done = ringtrue("up", "--data", str(tmp_path / "what?"))
    assert done.returncode == os.EX_CONFIG
    assert "must not contain a question mark" in done.stderr
    assert list(tmp_path.iterdir()) == []


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can be another user")
@pytest.mark.parametrize("command", ["up", "down"])
def test_the_folder_of_another_user_is_said(tmp_path: Path, command: str) -> None:
    folder = tmp_path / "theirs"
    folder.mkdir(mode=0o700)
    for above in (tmp_path, *list(tmp_path.parents)[:3]):
        above.chmod(above.stat().st_mode | 0o011)
    done = as_nobody(f"run_{command}", folder)
    assert "FolderUnwritable: cannot write to the data folder" in done.stderr.splitlines()[-1]
    assert "Permission denied" in done.stderr


def as_nobody(function: str, folder: Path) -> subprocess.CompletedProcess[str]:
    """Imported first, as another user may not read our Python."""
    rest = (
        "StackOptions(), Path(sys.argv[1]), replace=False, verbose=False" if "up" in function else "Path(sys.argv[1])"
    )
    script = (
        "import os, sys\nfrom pathlib import Path\nfrom services.embedded.app import run_up, run_down\n"
        f"from services.embedded.stack import StackOptions\nos.setuid(65534)\n{function}({rest})"
    )
    argv = [sys.executable, "-c", script, str(folder)]
    return subprocess.run(argv, capture_output=True, text=True, cwd=ROOT, timeout=60, check=False)


@pytest.fixture
def runs(tmp_path: Path) -> Path:
    return tmp_path / "mlflow"


def port_of(folder: Path, asked: int | None = None) -> int:
    with listen_for_mlflow(folder, asked) as listening:
        port: int = listening.getsockname()[1]
        return port


def test_mlflow_has_the_same_port_at_every_start(runs: Path, tmp_path: Path) -> None:
    """Links to its runs are kept with jobs."""
    first = port_of(runs)
    with listen_for_mlflow(tmp_path / "another"):  # may have had a neighbour's port meanwhile
        assert port_of(tmp_path / "a third") != first
    assert port_of(runs) == first


def test_a_port_of_mlflows_that_is_asked_for_is_kept(runs: Path) -> None:
    port_of(runs)
    asked = port_of(runs, 0)
    assert asked != 0
    assert port_of(runs) == asked


def test_a_taken_port_of_mlflows_is_said_with_what_to_do(runs: Path) -> None:
    with listen_for_mlflow(runs) as listening:
        port = listening.getsockname()[1]
        for asked in (None, port):
            with pytest.raises(PortUnusable, match=f"port {port} .* is in use by .*--mlflow-port.* no longer work"):
                port_of(runs, asked)
    assert port_of(runs) == port


@pytest.mark.parametrize("content", ["", "no number", "0", "70000", "-1"])
def test_a_kept_port_that_is_none_is_chosen_anew(runs: Path, content: str) -> None:
    runs.mkdir()
    (runs / "port").write_text(content)
    port = port_of(runs)
    assert (runs / "port").read_text() == f"{port}\n"
