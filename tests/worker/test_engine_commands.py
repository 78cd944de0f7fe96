"""``ringtrue engines`` as it is typed."""

from __future__ import annotations

import json
import os
import platform
import shutil
import sys
from pathlib import Path

import pytest

from services.worker.engines.families import Installed
from services.worker.installs.environments import InstallStep, standing
from services.worker.installs.interpreters import HERE, Interpreter, Interpreters
from shared.errors import SettingsError
from shared.settings import read_settings
from tests.worker.outside import REQUIREMENTS, Outside, bare_python


@pytest.fixture
def outside(tmp_path: Path) -> Outside:
    return Outside.in_folder(tmp_path)


def listed(outside: Outside, **settings: str) -> dict[str, dict[str, object]]:
    done = outside.command("--json", **settings)
    assert done.returncode == 0, done.stderr
    return {line["family"]: line for line in map(json.loads, done.stdout.splitlines())}


def test_from_not_installed_to_ready(outside: Outside) -> None:
    head, *before = outside.command().stdout.splitlines()
    assert head.split() == ["FAMILY", "PACKAGE", "PYTHON", "INTERPRETER", "STATE"]
    (tone,) = [line for line in before if line.startswith("tone  ")]
    assert tone.endswith("  this one     not installed: missing: chime")
    done = outside.command("install", "tone", *outside.from_disk)
    assert done.returncode == 0, done.stderr
    assert done.stdout == ""
    assert "3/3  starting a host of tone" in done.stderr
    after = listed(outside)
    assert after["tone"] == {
        "family": "tone",
        "package": "tone",
        "version": "1.0",
        "interpreter": str(Interpreters(outside.engines).of("tone").python),
        "own": True,
        "python": platform.python_version(),
        "state": "ready",
        "detail": None,
    }
    assert (after["espeak"]["state"], after["espeak"]["own"]) == ("ready", False)
    again = outside.command("install", "tone", *outside.from_disk)
    assert (again.returncode, "is already installed" in again.stderr) == (0, True)


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (["install", "no-such"], 66, "unknown engine family no-such; known: espeak"),
        (["install", "tone", "--set", "CHIM=2"], 65, "unknown setting CHIM; known: CHIME"),
        (["install", "tone", "--set", "CHIME"], 64, "'CHIME' is not NAME=VALUE"),
        (["install", "tone", "--python", "/no/such/python"], 65, "/no/such/python cannot be started"),
        (["install", "espeak"], 0, "espeak needs no Python of its own"),
    ],
)
def test_what_cannot_be_installed_says_why(outside: Outside, arguments: list[str], code: int, words: str) -> None:
    done = outside.command(*arguments)
    assert (done.returncode, words in done.stderr) == (code, True), done.stderr
    assert not outside.engines.exists()


def test_a_python_of_the_wrong_version_is_refused(tmp_path: Path) -> None:
    outside = Outside.in_folder(tmp_path, f"# python: 3.10\n{REQUIREMENTS}")
    done = outside.command("install", "tone", "--python", sys.executable, *outside.from_disk)
    assert done.returncode == 65
    assert "but tone needs 3.10" in done.stderr


def test_a_setting_that_is_malformed_is_told(outside: Outside) -> None:
    done = outside.command(RINGTRUE_INTERPRETERS="tone:/usr/bin/python")
    assert (done.returncode, "must be family=/path/to/python" in done.stderr) == (78, True)


def test_the_setting_overrules_the_environment_and_that_this_python(outside: Outside) -> None:
    settings = read_settings({"RINGTRUE_DATA": str(outside.folder), "RINGTRUE_INTERPRETERS": "a=/x/python, b = /y"})
    assert settings.engines == outside.engines
    interpreters = Interpreters(settings.engines, settings.interpreters)
    for name in ("a", "c"):
        (outside.engines / name / "bin").mkdir(parents=True)
        os.symlink(HERE, outside.engines / name / "bin" / "python")
    assert interpreters.of("a").python == Path("/x/python")
    assert interpreters.of("c").python == outside.engines / "c" / "bin" / "python"
    assert interpreters.of("d") == Interpreter()
    with pytest.raises(SettingsError, match="each family once"):
        read_settings({"RINGTRUE_INTERPRETERS": "a=/x,a=/y"})


TONE = Installed("tone", "tone.family:Family", "tone", "1.0")


def test_a_python_that_is_gone_is_broken(tmp_path: Path) -> None:
    found = standing(TONE, Interpreter(tmp_path / "bin" / "python"))
    assert found.state is InstallStep.BROKEN
    assert "cannot be started" in found.detail


def test_one_that_lacks_the_family_is_broken(tmp_path: Path) -> None:
    found = standing(TONE, Interpreter(bare_python(tmp_path / "bare")))
    assert (found.state, found.detail) == (
        InstallStep.BROKEN,
        "its host does not start: ModuleNotFoundError: No module named 'tone'",
    )


def test_one_that_lacks_a_package_names_it(outside: Outside) -> None:
    python = outside.python()
    shutil.rmtree(next(python.parents[1].glob("lib/*/site-packages/chime-1.0.dist-info")))
    found = listed(outside, RINGTRUE_INTERPRETERS=f"tone={python}")["tone"]
    assert (found["state"], found["detail"]) == ("broken", "missing: chime")
