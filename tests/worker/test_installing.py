"""Environments are made whole or not at all, whatever happens meanwhile."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from services.worker.engines.families import Installed
from services.worker.installs.environments import InstallStep
from services.worker.installs.installing import NotMade, Order, install
from services.worker.installs.interpreters import Interpreter, Interpreters
from services.worker.installs.pythons import uv
from services.worker.installs.requirements_file import Sources, read
from shared.processes.hosting import Child
from tests.worker.outside import REQUIREMENTS, ROOT, Outside

TONE = Installed("tone", "tone.family:Family", "tone", "1.0")


@pytest.fixture
def outside(tmp_path: Path) -> Outside:
    return Outside.in_folder(tmp_path)


def made(outside: Outside, installer: Path | None = None) -> Interpreter:
    """The family's interpreter, newly made."""
    wanted = read(outside.installed / "tone" / "requirements.txt")
    order = Order(sources=Sources(find_links=[str(outside.wheels)]), no_index=True, uv=installer)
    assert install(TONE, wanted, order, outside.engines, lambda _: None).state is InstallStep.READY
    return Interpreters(outside.engines).of("tone")


@pytest.mark.parametrize("installer", [uv(), None], ids=["uv", "pip"])
def test_the_environment_holds_what_is_pinned_and_serves(outside: Outside, installer: Path | None) -> None:
    python = made(outside, installer).python
    told = subprocess.run(
        [python, "-Ic", "import chime, tone; print('both')"], capture_output=True, text=True, check=True
    )
    assert told.stdout == "both\n"
    assert outside.begun() == [python.parents[1]]
    assert (outside.engines / "tone").resolve() == python.parents[1]


def test_a_host_keeps_the_environment_that_it_runs_in(outside: Outside) -> None:
    first = made(outside, uv())
    host = Child([*first.host, "--family", TONE.reference])
    try:
        assert host.ask({"op": "pins"}, timeout_s=30).header["ok"]["pins"] == ["tone-v1"]
        second = made(outside, uv())
        assert second != first
        assert first.python.exists()
    finally:
        host.kill()
    third = made(outside, uv())
    assert outside.begun() == [third.python.parents[1]]


def test_what_does_not_serve_is_not_put_in_place_of_what_does(outside: Outside) -> None:
    before = made(outside, uv())
    (outside.wheels / "tone-1.0-py3-none-any.whl").write_bytes(b"no wheel")
    with pytest.raises(NotMade, match="`uv pip install` ended with exit code"):
        made(outside, uv())
    assert Interpreters(outside.engines).of("tone") == before
    assert outside.begun() == [before.python.parents[1]]


def test_what_has_no_wheel_is_built_as_the_requirements_say(tmp_path: Path) -> None:
    outside = Outside.in_folder(tmp_path, f"# build-config: tone.ini\n{REQUIREMENTS}")
    installer = tmp_path / "installer"
    installer.write_text(f'#!/bin/sh\necho "$1 $DIST_EXTRA_CONFIG" >> {tmp_path / "told"}\n[ "$1" = venv ]\n')
    installer.chmod(0o755)
    with pytest.raises(NotMade, match="`installer pip install` ended with exit code 1; see its output above"):
        made(outside, installer)
    assert (tmp_path / "told").read_text() == f"venv \npip {outside.installed / 'tone' / 'tone.ini'}\n"
    assert outside.begun() == []


def test_an_environment_that_was_made_by_hand_is_left_alone(outside: Outside) -> None:
    (outside.engines / "tone").mkdir(parents=True)
    with pytest.raises(NotMade, match="was not made by this command; move it away"):
        made(outside, uv())


@contextmanager
def under_way(outside: Outside) -> Iterator[subprocess.Popen[str]]:
    """An installation that waits for packages which never come."""
    with socket.create_server(("127.0.0.1", 0)) as silent:
        index = f"http://127.0.0.1:{silent.getsockname()[1]}/simple"
        argv = [sys.executable, "-m", "ringtrue", "engines", "install", "tone", "--index", index]
        environ = outside.environ | {"UV_HTTP_TIMEOUT": "60", "NO_PROXY": "127.0.0.1"}
        process = subprocess.Popen(argv, env=environ, cwd=ROOT, stderr=subprocess.PIPE, text=True)
        try:
            silent.settimeout(60)
            silent.accept()
            yield process
        finally:
            process.kill()
            process.communicate()


def of_environment(folder: Path) -> list[int]:
    """Processes that were told of it."""
    found = []
    for entry in Path("/proc").glob("[0-9]*"):
        try:
            if str(folder).encode() in (entry / "cmdline").read_bytes():
                found.append(int(entry.name))
        except OSError:
            continue  # it has just ended
    return found


def test_one_that_is_stopped_leaves_nothing(outside: Outside) -> None:
    with under_way(outside) as process:
        (begun,) = outside.begun()
        again = outside.command("install", "tone", *outside.from_disk)
        assert (again.returncode, "being installed by another process" in again.stderr) == (76, True)
        process.send_signal(signal.SIGTERM)
        assert process.wait(timeout=30) == 128 + signal.SIGTERM
        assert outside.begun() == []
        assert of_environment(begun) == []


def test_what_one_that_was_killed_leaves_is_never_used_and_goes_with_the_next(outside: Outside) -> None:
    with under_way(outside) as process:
        (begun,) = outside.begun()
        process.kill()
        process.wait()
        for pid in of_environment(begun):
            os.kill(pid, signal.SIGKILL)
    assert not Interpreters(outside.engines).of("tone").elsewhere
    deadline = time.monotonic() + 10
    while of_environment(begun) and time.monotonic() < deadline:
        time.sleep(0.02)
    python = made(outside, uv()).python
    assert outside.begun() == [python.parents[1]]
