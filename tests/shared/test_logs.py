"""What cannot be logged stops nobody."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from tests.small_disk import fill

TALKS = """
import logging, sys
from shared.processes import logs
logs.set_up("a service")
for number in range(2000):
    logging.getLogger("x").error("%d: a line that finds no room", number)
    try:
        raise ValueError("a bug")
    except ValueError:
        logging.getLogger("x").exception("with its traceback")
sys.stdout.write("done")
"""


def test_a_full_disk_for_logs_ends_no_process(small_disk: Path) -> None:
    with (small_disk / "log").open("wb") as log:
        fill(small_disk)
        command = [sys.executable, "-c", TALKS]
        env = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])}
        done = subprocess.run(command, env=env, stdout=subprocess.PIPE, stderr=log, timeout=60, check=False)
    assert (done.returncode, done.stdout) == (0, b"done")
