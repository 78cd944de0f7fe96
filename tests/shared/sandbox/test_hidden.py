"""A process that knows a secret hides from others of its user; that is tried by another process of that user."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

OTHER_UID = 65534
SET_DUMPABLE = 4
"""PR_SET_DUMPABLE of prctl(2)."""
READ_IT = f"""
import ctypes, os, sys, time
from shared.sandbox.privileges import hide_from_others

def forked(work):
    if pid := os.fork():
        return pid
    if os.getuid() == 0:
        os.setuid({OTHER_UID})  # root may read everything
        ctypes.CDLL(None).prctl({SET_DUMPABLE}, 1)  # as a process is that did not change its user
    try:
        work()
    finally:
        os._exit(0)

reading, writing = os.pipe()

def secretive():
    if sys.argv[1] == "hidden":
        hide_from_others()
    os.write(writing, b"ready")
    time.sleep(60)

def curious():
    for name in ("environ", "mem", "fd"):
        try:
            os.listdir(f"/proc/{{pid}}/fd") if name == "fd" else open(f"/proc/{{pid}}/{{name}}", "rb").close()
            os.write(2, f"{{name}} ".encode())
        except PermissionError:
            pass

pid = forked(secretive)
os.read(reading, 5)
os.waitpid(forked(curious), 0)
os.kill(pid, 9)
"""


@pytest.mark.skipif(sys.platform != "linux", reason="the call is Linux's")
@pytest.mark.parametrize(("how", "seen"), [("open", {"environ", "mem", "fd"}), ("hidden", set())])
def test_another_process_of_the_user_reads_no_memory_environment_or_descriptors(how: str, seen: set[str]) -> None:
    done = subprocess.run(
        [sys.executable, "-c", READ_IT, how],
        cwd=Path(__file__).parents[3],
        env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[3])},
        capture_output=True,
        text=True,
        check=True,
    )
    assert set(done.stderr.split()) == seen
