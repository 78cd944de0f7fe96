"""`--url` and `--data` are of the whole command: they may stand before or behind its name, and say what they are of."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from ringtrue.console.arguments import options_first


@pytest.mark.parametrize(
    ("given", "taken"),
    [
        (["keys", "create", "ann", "--data", "x"], ["--data", "x", "keys", "create", "ann"]),
        (["keys", "--data=x", "list"], ["--data=x", "keys", "list"]),
        (["--data", "x", "keys", "list"], ["--data", "x", "keys", "list"]),
        (["say", "hello", "--url", "http://x", "-o", "a.wav"], ["--url", "http://x", "say", "hello", "-o", "a.wav"]),
        (["say", "--", "--url", "is a word"], ["say", "--", "--url", "is a word"]),
        (["keys", "list", "--data"], ["--data", "keys", "list"]),
        (["theirs", "--data", "x"], ["theirs", "--data", "x"]),
        (["--url", "u", "theirs", "--data", "x"], ["--url", "u", "theirs", "--data", "x"]),
        ([], []),
    ],
)
def test_they_come_first_wherever_they_were_written(given: list[str], taken: list[str]) -> None:
    assert options_first(given, {"theirs"}) == taken


def ringtrue(*arguments: str, home: Path) -> subprocess.CompletedProcess[str]:
    environ = {name: value for name, value in os.environ.items() if not name.startswith("RINGTRUE_")}
    command = [sys.executable, "-m", "ringtrue", *arguments]
    return subprocess.run(
        command, env={**environ, "HOME": str(home)}, capture_output=True, text=True, timeout=60, check=False
    )


@pytest.mark.parametrize(
    "arguments",
    [
        ("keys", "list", "--data", "{folder}"),
        ("keys", "--data={folder}", "list"),
        ("--data", "{folder}", "models", "aliases"),
        ("models", "aliases", "--data", "{folder}"),
    ],
)
def test_a_command_without_a_gateway_works_on_the_folder_that_it_is_told(
    tmp_path: Path, arguments: tuple[str, ...]
) -> None:
    folder = tmp_path / "elsewhere"
    done = ringtrue(*(argument.format(folder=folder) for argument in arguments), home=tmp_path)
    assert done.returncode == 0, done.stderr
    assert (folder / "ringtrue.db").exists()
    assert not (tmp_path / ".local").exists()


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("keys", "list", "--url", "http://127.0.0.1:1"), "does not use a gateway"),
        (("jobs", "--data", "x"), "uses a gateway; to name it, use --url"),
    ],
)
def test_an_option_that_a_command_has_no_use_for_is_refused(
    tmp_path: Path, arguments: tuple[str, ...], said: str
) -> None:
    done = ringtrue(*arguments, home=tmp_path)
    assert done.returncode == 64
    assert said in " ".join(done.stderr.replace("│", " ").split())
