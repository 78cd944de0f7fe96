"""What a model's code tries from inside a host, and gets nothing: as root, and as a user of no rights."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from shared.sandbox import landlock

HERE = Path(__file__).parent
SERVICE = HERE / "service.py"
SECRET = "hf_do_not_tell"
RIGHT = "-all,+dac_read_search"
"""To read what lies in another user's home, Python among it; no more than that, and the files in question are closed
by the sandbox and not by their modes."""
ANOTHER_USER = ("setpriv", "--reuid=23456", "--regid=23456", "--clear-groups")
ANOTHER_USER += (f"--inh-caps={RIGHT}", f"--ambient-caps={RIGHT}", f"--bounding-set={RIGHT}")
ATTEMPTS = 73
REAL = ("TCP to the machine", "a socket file", "read the database", "list the data folder", "a namespace")

pytestmark = pytest.mark.skipif(landlock.version() < 6, reason="the kernel holds not all of a sandbox")


def served(*before: str, **more: str) -> Mapping[str, Any]:
    command = [*before, sys.executable, str(SERVICE)]
    done = subprocess.run(command, env=os.environ | more, capture_output=True, text=True, check=False, timeout=120)
    assert done.returncode == 0, done.stderr
    answer: dict[str, Any] = json.loads(done.stdout)
    return answer


@pytest.fixture(scope="module", params=["this user", "another user"])
def told(request: pytest.FixtureRequest) -> Mapping[str, Any]:
    if request.param == "this user":
        return served()
    if os.getuid() != 0:
        pytest.skip("only root can become another user")
    return served(*ANOTHER_USER, TMPDIR="/tmp")


def test_every_attempt_is_refused(told: Mapping[str, Any]) -> None:
    results = told["results"]
    assert len(results) == ATTEMPTS
    assert {name: what for name, what in results.items() if not what.startswith("refused: ")} == {}


def test_nothing_has_happened_to_the_file_that_it_was_after(told: Mapping[str, Any]) -> None:
    assert (told["content"], told["mode"]) == (SECRET, 0o600)


def test_it_was_told_no_secret(told: Mapping[str, Any]) -> None:
    assert SECRET not in json.dumps(told["environ"])


def test_it_has_its_pipe_and_no_other_file_of_the_service(told: Mapping[str, Any]) -> None:
    others = [one for one in told["descriptors"] if not one.startswith(("pipe:", "anon_inode:[pidfd]"))]
    assert {*others} <= {os.readlink("/proc/self/fd/2"), "/dev/null", *others[:1]}
    assert sum(one.startswith("pipe:") for one in told["descriptors"]) <= 5  # stderr may be one as well


def test_the_attempts_are_real_ones() -> None:
    """Without a sandbox they get what they are after."""
    results = served(UNCONFINED=",".join(REAL))["results"]
    assert [name for name in REAL if not results[name].startswith("got ")] == []


def test_a_second_confinement_is_no_way_out_of_the_first(tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    secret.write_text(SECRET)
    rest = {"listed": [], "sockets": True}
    inner = {"argv": ["/bin/cat", str(secret)], "rules": {"read": ["/"], "write": ["/"], **rest}}
    launcher = [sys.executable, "-I", "-S", str(Path(landlock.__file__).with_name("launcher.py")), "become"]
    roots = [str(Path(sys.base_prefix).resolve()), sys.prefix, "/usr", "/lib", "/lib64", "/bin", "/etc/ld.so.cache"]
    read = [*roots, str(Path(landlock.__file__).parents[1])]
    outer = {
        "argv": [*launcher, json.dumps(inner)],
        "rules": {"read": read, "write": [], "listed": [], "sockets": True},
    }
    done = subprocess.run([*launcher, json.dumps(outer)], capture_output=True, text=True, check=False, timeout=60)
    assert (done.stdout, "Permission denied" in done.stderr) == ("", True)
