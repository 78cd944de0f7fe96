"""What holds of a child behind a pipe holds where the system has neither sessions nor a way to ask a pipe."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from tests.elsewhere import without_posix

HERE = Path(__file__).parent
SAME = ("test_hosting.py", "test_hosting_arrival.py")
PYTEST_NEEDS = ("getuid", "geteuid", "getgid", "register_at_fork")


def test_the_same_tests_pass_there(tmp_path: Path) -> None:
    env = without_posix(tmp_path / "site", keep=PYTEST_NEEDS)
    command = [sys.executable, "-m", "pytest", "-n0", "-q", *(str(HERE / name) for name in SAME)]
    done = subprocess.run(command, env=env, capture_output=True, text=True, timeout=240, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "skipped" not in done.stdout
