"""`ringtrue up` with all its parts: what a newcomer types, and the end of it."""

from __future__ import annotations

import importlib.util
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import psutil  # type: ignore[import-untyped]
import pytest
from stack_process import StackProcess, eventually, kill

from ringtrue import Ringtrue

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
    argv = [str(RINGTRUE), "up", "--port", "0", "--data", str(folder / "data")]
    stack = StackProcess(folder / "data", argv, folder / "words.txt", environ)
    try:
        yield stack.until_ready(within_s=200)
    finally:
        ringtrue("down", "--data", stack.folder)
        assert stack.process.wait(60) == 0


@pytest.fixture
def client(stack: StackProcess) -> Iterator[Ringtrue]:
    with Ringtrue(stack.record.urls["api"]) as client:
        yield client


def test_both_pins_are_served(client: Ringtrue) -> None:
    assert {"espeak-v1", "espeak-v2"} <= {pin.name for pin in client.pins() if pin.live}


def test_a_sentence_is_spoken_scored_and_tracked(client: Ringtrue) -> None:
    job = client.wait(
        client.submit("Does this voice ring true?", pin="espeak-v2", emotion="happy"), until="tracking", timeout=120
    )
    assert (job.status, job.scoring.status, job.tracking.status) == ("succeeded", "done", "done")
    assert client.audio(job).startswith(b"RIFF")


@pytest.mark.skipif(shutil.which("curl") is None, reason="no curl")
def test_the_line_to_try_works_as_printed(stack: StackProcess) -> None:
    (line,) = re.findall(r"Try: (curl .*)", stack.words)
    assert '"status":"queued"' in subprocess.run(["sh", "-c", line], capture_output=True, text=True, check=True).stdout


def test_a_worker_that_is_killed_comes_back_and_speaks(stack: StackProcess, client: Ringtrue) -> None:
    kill(stack.pid_of("worker"))
    job = client.wait(client.submit("Back again.", pin="espeak-v1"), timeout=90)
    assert job.succeeded
    stack.until_said("worker died of SIGKILL, starts again")


def test_a_second_up_says_where_the_first_one_answers(stack: StackProcess) -> None:
    second = ringtrue("up", "--data", stack.folder)
    assert second.returncode == os.EX_TEMPFAIL
    assert stack.record.urls["api"] in second.stderr


def test_down_leaves_nothing_running(stack: StackProcess) -> None:
    family = psutil.Process(stack.process.pid).children(recursive=True)
    assert ringtrue("down", "--data", stack.folder).returncode == 0
    assert stack.process.wait(30) == 0
    eventually(lambda: not any(process.is_running() for process in family))
