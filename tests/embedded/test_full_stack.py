"""`ringtrue up` with all its parts: what a newcomer types, and the end of it."""

from __future__ import annotations

import importlib.util
import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import psutil  # type: ignore[import-untyped]
import pytest

from ringtrue import Ringtrue
from shared.messages.queue import make_celery
from tests.embedded.stack_process import StackProcess, eventually, kill
from tests.foreign_folder import plant
from tests.strangers import as_nobody, needs_a_second_user

RINGTRUE = Path(sys.executable).with_name("ringtrue")
PARTS = ("services.gateway", "services.worker", "services.scorer")

pytestmark = [
    pytest.mark.timeout(300),
    pytest.mark.skipif(
        any(importlib.util.find_spec(f"{part}.__main__") is None for part in PARTS), reason="a service is missing"
    ),
]


def ringtrue(*arguments: str | Path) -> subprocess.CompletedProcess[str]:
    argv = [str(argument) for argument in (RINGTRUE, *arguments)]
    return subprocess.run(argv, capture_output=True, text=True, timeout=90, check=False)


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[StackProcess]:
    folder = tmp_path_factory.mktemp("stack")
    environ = {name: value for name, value in os.environ.items() if not name.startswith(("RINGTRUE_", "MLFLOW_"))}
    environ |= {"TMPDIR": str(folder / "tmp")}
    (folder / "tmp").mkdir()
    plant(folder / "foreign")
    data = folder / "数据 of ann's, 100% #1"
    argv = [str(RINGTRUE), "up", "--port", "0", "--data", str(data)]
    stack = StackProcess(data, argv, folder / "words.txt", environ, folder / "foreign")
    try:
        yield stack.until_ready(within_s=200)
    finally:
        ringtrue("down", "--data", stack.folder)
        assert stack.process.wait(60) == 0


@pytest.fixture
def client(stack: StackProcess) -> Iterator[Ringtrue]:
    with Ringtrue(stack.record.urls["api"]) as client:
        yield client


def test_a_first_start_prints_no_warning(stack: StackProcess) -> None:
    problems = [line for line in stack.words.splitlines() if not line.startswith("ringtrue |") and " | " in line]
    assert problems == []


def test_both_pins_are_served(client: Ringtrue) -> None:
    assert {"espeak-v1", "espeak-v2"} <= {pin.name for pin in client.pins() if pin.live}


def test_a_sentence_is_spoken_scored_and_tracked(client: Ringtrue) -> None:
    job = client.wait(
        client.submit("Does this voice ring true?", pin="espeak-v2", emotion="happy"), until="tracking", timeout=120
    )
    assert (job.status, job.scoring.status, job.tracking.status) == ("succeeded", "done", "done")
    assert client.audio(job).startswith(b"RIFF")


def test_nothing_is_imported_from_the_folder_that_it_is_called_in(stack: StackProcess) -> None:
    assert (stack.folder.parent / "foreign" / "book.txt").read_text() == ""


def test_nothing_lies_in_the_folder_for_temporary_files_but_what_goes_with_the_stack(stack: StackProcess) -> None:
    left = [path.name for path in (stack.folder.parent / "tmp").iterdir()]
    assert all(name.startswith("ringtrue-run-") for name in left), left


def family(stack: StackProcess) -> list[psutil.Process]:
    return [psutil.Process(stack.process.pid), *psutil.Process(stack.process.pid).children(recursive=True)]


def redis_url(stack: StackProcess) -> str:
    return str(psutil.Process(stack.pid_of("worker")).environ()["RINGTRUE_REDIS_URL"])


def test_workers_take_no_orders_over_redis(stack: StackProcess) -> None:
    celery = make_celery(redis_url(stack))
    before = {name: stack.pid_of(name) for name in ("worker", "scorer")}
    celery.control.broadcast("shutdown")
    assert celery.control.inspect(timeout=2).ping() is None
    assert {name: stack.pid_of(name) for name in before} == before


TRYING = Path(__file__).with_name("second_user.py")


@needs_a_second_user
def test_a_second_user_of_the_machine_gets_nothing(stack: StackProcess, client: Ringtrue) -> None:
    """A real other uid, at every port, socket, file and process of the stack."""
    client.wait(client.submit("For my ears only.", pin="espeak-v2"), timeout=120)
    processes = family(stack)
    listening = [
        connection
        for process in processes
        for connection in process.net_connections("all")
        if connection.status == psutil.CONN_LISTEN or (connection.family.name == "AF_UNIX" and connection.laddr)
    ]
    everything = [stack.folder, *stack.folder.rglob("*"), *(stack.folder.parent / "tmp").rglob("*")]
    told = {
        "ports": sorted({c.laddr.port for c in listening if c.family.name != "AF_UNIX"}),
        "sockets": sorted({str(c.laddr) for c in listening if c.family.name == "AF_UNIX"}),
        "files": [str(path) for path in everything if path.is_file() and not path.is_symlink()],
        "folders": [str(path) for path in everything if path.is_dir()],
        "pids": [process.pid for process in processes],
    }
    assert len(told["ports"]) == 2, "the gateway's and the one that is announced for MLflow"
    assert len(told["sockets"]) >= 2, "Redis' and MLflow's"
    assert len(told["files"]) > 10
    open_ways = [path for path in (stack.folder, *stack.folder.parents) if path.stat().st_mode & 0o005 != 0o005]
    for path in open_ways[1:]:  # what pytest made above it is closed as well, and must not be what keeps them out
        path.chmod(path.stat().st_mode | 0o055)
    done = as_nobody(TRYING.read_text(), json.dumps(told))
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout) == []
    assert client.pins()


@needs_a_second_user
def test_what_a_part_leaves_free_for_a_moment_nobody_else_gets(stack: StackProcess) -> None:
    """A stranger waits for the announced ports while the parts behind them are killed and come back."""
    ports = [int(url.rpartition(":")[2]) for url in stack.record.urls.values()]
    waiting = (
        "import socket, sys, time\n"
        "until = time.monotonic() + 8\n"
        "while time.monotonic() < until:\n"
        "    for port in map(int, sys.argv[1:]):\n"
        "        for host in ('127.0.0.1', '0.0.0.0'):\n"
        "            s = socket.socket(); s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)\n"
        "            try: s.bind((host, port)); s.listen(); print('got', host, port)\n"
        "            except OSError: pass\n"
        "            finally: s.close()\n"
    )
    for name in ("relay", "gateway"):
        kill(stack.pid_of(name))
    assert as_nobody(waiting, *map(str, ports)).stdout == ""
    stack.until_said("relay is back")
    stack.until_said("gateway is back")


@pytest.mark.skipif(shutil.which("curl") is None, reason="no curl")
def test_the_line_to_try_works_as_printed(stack: StackProcess) -> None:
    (line,) = re.findall(r"Try: (curl .*)", stack.words)
    assert '"status":"queued"' in subprocess.run(["sh", "-c", line], capture_output=True, text=True, check=True).stdout


def test_a_worker_that_is_killed_comes_back_and_speaks(stack: StackProcess, client: Ringtrue) -> None:
    kill(stack.pid_of("worker"))
    job = client.wait(client.submit("Back again.", pin="espeak-v1"), timeout=90)
    assert job.succeeded
    stack.until_said("worker died of SIGKILL; starting it again")


def test_a_second_up_says_where_the_first_one_answers(stack: StackProcess) -> None:
    second = ringtrue("up", "--data", stack.folder)
    assert second.returncode == os.EX_TEMPFAIL
    assert stack.record.urls["api"] in second.stderr


def test_down_leaves_nothing_running(stack: StackProcess) -> None:
    processes = psutil.Process(stack.process.pid).children(recursive=True)
    down = ringtrue("down", "--data", stack.folder)
    assert down.returncode == 0, down.stderr
    assert stack.process.wait(90) == 0
    eventually(lambda: not any(process.is_running() for process in processes))
    run = stack.folder / "run"  # not there where its path would be too long for sockets
    assert not run.exists() or list(run.iterdir()) == []
    assert list((stack.folder.parent / "tmp").iterdir()) == []
