"""A set-up to examine: `ringtrue doctor` as a process, and what it said."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[2]
_OURS = ("RINGTRUE_", "MLFLOW_", "HF_", "MODELSCOPE_")


@dataclass(frozen=True)
class Line:
    """One finding."""

    status: str
    says: str
    do: str


@dataclass(frozen=True)
class Diagnosis:
    """What one examination ended with."""

    code: int
    lines: dict[str, list[Line]]
    """By check."""

    def line(self, check: str) -> Line:
        """The only line of a check."""
        (line,) = self.lines[check]
        return line


def environ_of(data: Path, settings: dict[str, str]) -> dict[str, str]:
    """This environment without any setting but ``settings`` and the data folder."""
    environ = {name: value for name, value in os.environ.items() if not name.startswith(_OURS)}
    return environ | {"RINGTRUE_DATA": str(data)} | settings


def doctor(data: Path, *arguments: str, **settings: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "ringtrue", "doctor", *arguments]
    return subprocess.run(
        command, env=environ_of(data, settings), cwd=ROOT, capture_output=True, text=True, timeout=240, check=False
    )


def examined(data: Path, *checks: str, options: tuple[str, ...] = (), **settings: str) -> Diagnosis:
    """Look at ``checks`` alone; all where none is named."""
    only = [word for check in checks for word in ("--only", check)]
    done = doctor(data, "--json", *only, *options, **settings)
    assert done.stdout, done.stderr
    told = json.loads(done.stdout)
    lines: dict[str, list[Line]] = {}
    for line in told["checks"]:
        lines.setdefault(line["name"], []).append(Line(line["status"], line["says"], line["do"]))
    assert (done.returncode == 1) == (told["status"] == "fail")
    return Diagnosis(done.returncode, lines)


def says_fail(diagnosis: Diagnosis, check: str, words: str, do: str) -> None:
    """The only line of a check is a fail, so exit code 1, and says this and what to do."""
    line = diagnosis.line(check)
    assert (diagnosis.code, line.status) == (1, "fail"), line
    assert words in line.says
    assert do in line.do


def says_warn(diagnosis: Diagnosis, check: str, words: str, do: str) -> None:
    """The only line of a check is a warning, so exit code 0."""
    line = diagnosis.line(check)
    assert (diagnosis.code, line.status) == (0, "warn"), line
    assert words in line.says
    assert do in line.do
