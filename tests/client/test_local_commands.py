"""Commands that the services bring along: found by entry point, imported when they are used."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

ENTRY_POINTS = """
[ringtrue.commands]
greet = brought_along:greet
judge = brought_along:judge
stumble = brought_along:stumble
lost = brought_without:lost
absent = brought_by_nobody:absent
"""
BROUGHT_ALONG = """
import click, sys, typer

print("imported", file=sys.stderr)

greet = typer.Typer()

@greet.command()
def greeting(name: str, loud: bool = False):
    print(f"hello {name}" + "!" * loud)

@click.command()
@click.option("--exit", "code", type=int)
@click.pass_context
def judge(ctx, code):
    ctx.exit(code)

@click.command()
def stumble():
    raise RuntimeError("over its own feet")
"""


@pytest.fixture
def site(tmp_path: Path) -> Path:
    """An installed package with local commands."""
    metadata = tmp_path / "brought_along-1.0.dist-info"
    metadata.mkdir()
    (metadata / "METADATA").write_text("Metadata-Version: 2.1\nName: brought-along\nVersion: 1.0\n")
    (metadata / "entry_points.txt").write_text(ENTRY_POINTS)
    (tmp_path / "brought_along.py").write_text(BROUGHT_ALONG)
    (tmp_path / "brought_without.py").write_text("import a_package_that_is_not_installed\n")
    return tmp_path


def run(site: Path, *args: str) -> subprocess.CompletedProcess[str]:
    path = os.pathsep.join(filter(None, (str(site), os.environ.get("PYTHONPATH"))))
    env = {**os.environ, "PYTHONPATH": path}
    command = [sys.executable, "-m", "ringtrue", *args]
    return subprocess.run(command, check=False, capture_output=True, text=True, env=env, timeout=60)


def test_a_local_command_gets_its_whole_command_line(site: Path) -> None:
    assert run(site, "greet", "--loud", "Ada").stdout == "hello Ada!\n"


def test_help_of_a_local_command_is_its_own(site: Path) -> None:
    assert "--loud" in run(site, "greet", "--help").stdout


def test_local_commands_are_listed_without_being_imported(site: Path) -> None:
    ran = run(site, "--help")
    assert "greet" in ran.stdout
    assert ran.stderr == ""


@pytest.mark.parametrize("verdict", [0, 1, 2])
def test_a_verdict_is_handed_on(site: Path, verdict: int) -> None:
    assert run(site, "judge", "--exit", str(verdict)).returncode == verdict


@pytest.mark.parametrize("args", [("judge", "--exit", "soon"), ("judge", "--exlt", "1"), ("greet",)])
def test_a_wrong_command_line_is_never_a_verdict(site: Path, args: tuple[str, ...]) -> None:
    ran = run(site, *args)
    assert ran.returncode == 64
    assert "Usage:" in ran.stderr


def test_a_fault_is_never_a_verdict(site: Path) -> None:
    ran = run(site, "stumble")
    assert ran.returncode == 70
    assert "RuntimeError: over its own feet" in ran.stderr


@pytest.mark.parametrize(
    ("command", "lacks"), [("lost", "a_package_that_is_not_installed"), ("absent", "brought_by_nobody")]
)
def test_what_is_not_installed_is_one_clear_line(site: Path, command: str, lacks: str) -> None:
    ran = run(site, command)
    assert ran.returncode == 78
    assert ran.stderr == (f"`ringtrue {command}` needs {lacks}, which is not installed; install ringtrue[embedded]\n")
