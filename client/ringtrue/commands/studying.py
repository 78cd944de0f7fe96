"""What the commands that judge pins have in common: a suite and how it is spoken, the wait with its progress.

Owns the options that mean the same for each of them, and how an evaluation, a comparison or a gate that came to no
result, or to none in time, ends the command.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from time import monotonic
from typing import Annotated, Any, TypeVar, cast

import typer

from ringtrue import Evaluation, EvaluationOptions, InvalidRequest, Ringtrue, StudyTimedOut
from ringtrue.commands.connection import pairs
from ringtrue.exits import ExitCode
from ringtrue.studies import Studies, Study
from ringtrue.terminal import Progress, words

LOOK_S = 1.0
"""How often progress is looked at."""
LOG_EVERY_S = 10.0
"""How often a log is told of it."""
SUITE_FILES = (".yaml", ".yml", ".jsonl")
EVALUATION_ID = re.compile("eval_[0-9A-HJKMNP-TV-Z]{26}")
_LINE = re.compile(r"line (\d+): (.*)", re.DOTALL)

SuiteName = Annotated[
    str, typer.Option("--suite", metavar="NAME|FILE", help="One that ships, or a YAML or JSONL file.")
]
SuiteOfPins = Annotated[
    str | None, typer.Option("--suite", metavar="NAME|FILE", help="What to speak, where A or B is a pin.")
]
Seeds = Annotated[int, typer.Option("--seeds", min=1, help="How often every item is spoken, with another seed each.")]
Score = Annotated[list[str] | None, typer.Option("--score", metavar="FAMILY", help="Measure this only; repeatable.")]
Param = Annotated[
    list[str] | None, typer.Option("--param", metavar="K=V", help="speed, voice, ... of every item; repeatable.")
]
Preprocessing = Annotated[str | None, typer.Option(help="Of the texts: none, plain, ...")]
Fresh = Annotated[bool, typer.Option("--fresh", help="Speak also what was spoken just so before.")]
Allow = Annotated[
    list[str] | None,
    typer.Option(
        "--allow",
        metavar="WHAT",
        help="Compare although this differs: suite, scorers, preprocessing, seeds, params, environment; repeatable.",
    ),
]
ReportFile = Annotated[Path | None, typer.Option("--report", metavar="FILE", help="Write the report (HTML) here.")]
Timeout = Annotated[
    float | None,
    typer.Option(min=0, metavar="S", help="Seconds to wait in all; what was asked for goes on after them."),
]
S = TypeVar("S", bound=Study)


class Deadline:
    """Of a command that waits for several things, one after the other. ``timeout_s``: None waits for ever."""

    def __init__(self, timeout_s: float | None) -> None:
        self._at = None if timeout_s is None else monotonic() + timeout_s

    @property
    def left_s(self) -> float | None:
        """To a tenth: people are told of it."""
        return None if self._at is None else max(0.0, round(self._at - monotonic(), 1))


@dataclass(frozen=True, slots=True)
class Asked:
    """How the pins among A and B are to be evaluated. ``suite``: None where none was named."""

    suite: str | None
    seeds: int
    score: Sequence[str] | None = None
    param: Sequence[str] | None = None
    preprocessing: str | None = None
    fresh: bool = False

    def evaluate(self, ringtrue: Ringtrue, pin: str) -> Evaluation:
        """Ask for the evaluation of a pin."""
        if self.suite is None:
            raise typer.BadParameter(f"{pin} is a pin: what shall it speak?", param_hint="--suite")
        params = {name: _value(value) for name, value in pairs(self.param, "--param")}
        how: dict[str, Any] = {
            "pin": pin, "suite": suite_of(self.suite), "seeds": self.seeds, "score": self.score or None,
            "params": params or None, "preprocessing": self.preprocessing, "fresh": self.fresh or None,
        }  # fmt: skip
        given = cast(EvaluationOptions, {name: value for name, value in how.items() if value is not None})
        with faults_of(self.suite, "/suite/text"):
            return ringtrue.evaluations.create(**given)

    def side(self, ringtrue: Ringtrue, named: str) -> Evaluation:
        """The evaluation that is named, or one of the pin that is named."""
        return ringtrue.evaluations.get(named) if EVALUATION_ID.fullmatch(named) else self.evaluate(ringtrue, named)


def suite_of(named: str) -> str | Path:
    """The name of a suite that ships, or a file."""
    if Path(named).suffix.lower() in SUITE_FILES:
        return Path(named)
    if os.sep in named or Path(named).is_file():
        raise typer.BadParameter(f"{named}: a suite's file ends in {', '.join(SUITE_FILES)}", param_hint="suite")
    return named


def evaluated(ringtrue: Ringtrue, evaluation: Evaluation, deadline: Deadline, goes_on: str) -> Evaluation:
    """The evaluation with its result; see `settled`."""
    return settled(ringtrue.evaluations, evaluation, deadline, goes_on, _going)


def settled(studies: Studies[S], study: S, deadline: Deadline, goes_on: str, going: Any = None) -> S:
    """The study with its result; the command ends where there will be none.

    ``goes_on``: what is told of it, and how to come back to it, when the wait ends first."""
    progress: Progress[S] = Progress(going or (lambda seen: f"{seen.id} {seen.standing}"), LOG_EVERY_S)
    try:
        with progress.shown() as watcher:
            seen = studies.wait(study, timeout=deadline.left_s, poll_s=LOOK_S, watcher=watcher)
    except (KeyboardInterrupt, StudyTimedOut):
        words(goes_on)
        raise
    if not seen.succeeded:
        why = f": {seen.error.code}: {seen.error.message}" if seen.error else ""
        words(f"{seen.id} {seen.status}{why}")
        refused = seen.error is not None and seen.error.code == "not_comparable"
        raise typer.Exit(ExitCode.REFUSED if refused else ExitCode.JOB_FAILED)
    return seen


def come_back(evaluation_id: str) -> str:
    """How to come back to an evaluation, for `settled`."""
    again = f"ringtrue evaluations {evaluation_id}"
    return f"{evaluation_id} goes on by itself; `{again}` waits for it again, `{again} --cancel` stops it"


@contextmanager
def faults_of(file: str, pointer: str) -> Iterator[None]:
    """Tells what is wrong with a file as ``FILE:LINE: what``, and a file that cannot be read."""
    try:
        yield
    except InvalidRequest as refusal:
        if not refusal.errors or any(error.pointer != pointer for error in refusal.errors):
            raise
        for error in refusal.errors:
            line = _LINE.fullmatch(error.detail)
            words(f"{file}:{line[1]}: {line[2]}" if line else f"{file}: {error.detail}")
        raise typer.Exit(ExitCode.REFUSED) from None
    except OSError as error:
        words(f"{file}: {error.strerror}")
        raise typer.Exit(ExitCode.NOT_FOUND) from error
    except UnicodeDecodeError as error:
        words(f"{file}: is no UTF-8")
        raise typer.Exit(ExitCode.REFUSED) from error


def check_files(*files: Path | None) -> None:
    """Refuse, before anything is asked for, files that could not be written."""
    for file in files:
        if file is not None and not file.absolute().parent.is_dir():
            words(f"{file}: there is no such folder")
            raise typer.Exit(ExitCode.CANNOT_WRITE)


def write(file: Path, content: bytes, how: str = "wb") -> None:
    """Write a file that was asked for."""
    try:
        with file.open(how) as opened:
            opened.write(content)
    except OSError as error:
        words(f"{file}: {error.strerror}")
        raise typer.Exit(ExitCode.CANNOT_WRITE) from error


def reasons(unscored: Any) -> str:
    """Why how many clips are unscored."""
    return ", ".join(f"{reason} {count}" for reason, count in sorted(unscored.items()))


def figure(value: float | None, form: str = ".4g") -> str:
    """A number in a table; nothing where there is none."""
    return "" if value is None else format(value, form)


def _going(one: Evaluation) -> str:
    done = one.progress
    parts = [f"{one.pin.name} on {one.suite.name}: {done.spoken} of {done.clips} spoken, {done.scored} scored"]
    parts += [f"{done.cached} as before"] if done.cached else []
    parts += [f"{done.failed} failed"] if done.failed else []
    parts += [f"about {one.eta_seconds:.0f} s"] if one.eta_seconds is not None else []
    return ", ".join(parts)


def _value(text: str) -> Any:
    """A number, true, false, or JSON of any kind as what it is; everything else as text."""
    try:
        return json.loads(text)
    except ValueError:
        return text
