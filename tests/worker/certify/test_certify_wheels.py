"""What `ringtrue certify` needs can be installed on other systems: there is a wheel of every package, at its pin."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
UV = Path(sys.executable).with_name("uv")
SYSTEMS = ("windows", "macos", "x86_64-apple-darwin", "aarch64-unknown-linux-gnu")
_COMPILE = (str(UV), "pip", "compile", "--quiet", "--no-header", "--python-version=3.11", "--only-binary=:all:")


def resolved(*arguments: str, given: str = "") -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [*_COMPILE, *arguments], cwd=ROOT, input=given, capture_output=True, text=True, timeout=240, check=False
    )


@pytest.fixture(scope="module", autouse=True)
def registry() -> None:
    if not UV.exists():
        pytest.skip("no uv beside this Python")
    if resolved("--no-cache", "-", given="idna==3.20\n").returncode != 0:
        pytest.skip("no package registry can be reached: whether wheels resolve was not looked at")


@pytest.mark.parametrize("system", SYSTEMS)
def test_a_wheel_of_every_package_is_published_for(system: str) -> None:
    done = resolved("pyproject.toml", "--extra=certify", f"--python-platform={system}")
    assert done.returncode == 0, done.stderr
    names = {line.partition("==")[0] for line in done.stdout.splitlines() if "==" in line}
    assert {"espeakng-loader", "soxr", "numpy", "sentencex", "httpx"} <= names
    assert not names & {"celery", "sqlalchemy", "uvloop", "torch"}
