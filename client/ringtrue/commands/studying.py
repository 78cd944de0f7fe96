"""What the commands that judge pins share: a suite and how it is spoken, and the wait with its progress.

Owns their common options, and how a command ends if an evaluation, a comparison or a gate has no result, or none in
time.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from time import monotonic
from typing import Annotated, Any, Literal, TypeVar, cast

import typer

from ringtrue import (
    Evaluation,
    EvaluationOptions,
    FormatUnavailable,
    InvalidRequest,
    Ringtrue,
    StudyTimedOut,
)
from ringtrue.commands.connection import lexicon_option, pairs
from ringtrue.commands.delivery import check_place
from ringtrue.commands.refusals import in_our_words
from ringtrue.console.exits import ExitCode
from ringtrue.console.terminal import ProgressLine, words
from ringtrue.errors import NotWritten
from ringtrue.studies import BaseStudy, StudyCalls
from ringtrue.texts import why_no_text

LOOK_S = 1.0
"""Seconds between two looks at the progress."""
SUITE_FILES = (".yaml", ".yml", ".jsonl")
EVALUATION_ID = re.compile("eval_[0-9A-HJKMNP-TV-Z]{26}")
_FORMATS = {".html": "HTML", ".xml": "JUnit XML", ".md": "Markdown"}
_ENDINGS = {".html", ".htm", ".xml", ".md", ".json", ".jsonl", ".csv", ".pdf", ".docx", ".xlsx", ".png", ".zip"}
_LINE = re.compile(r"line (\d+): (.*)", re.DOTALL)

SuiteName = Annotated[
    str, typer.Option("--suite", metavar="NAME|FILE", help="Name of a built-in suite, or a YAML or JSONL file.")
]
SuiteOfPins = Annotated[
    str | None, typer.Option("--suite", metavar="NAME|FILE", help="The suite to speak, if A or B is a pin.")
]
Seeds = Annotated[int, typer.Option("--seeds", min=1, help="Number of seeds; every item is spoken once with each.")]
Score = Annotated[
    list[str] | None, typer.Option("--score", metavar="FAMILY", help="Use only this metric family; repeatable.")
]
Param = Annotated[
    list[str] | None,
    typer.Option("--param", metavar="K=V", help="Parameter of every item, such as speed=1.2; repeatable."),
]
Preprocessing = Annotated[str | None, typer.Option(help="Preprocessing of the texts: none or plain.")]
Fresh = Annotated[bool, typer.Option("--fresh", help="Speak every clip again, even if the same clip exists already.")]
Allow = Annotated[
    list[str] | None,
    typer.Option(
        "--allow",
        metavar="WHAT",
        help="Compare even if this differs: suite, scorers, preprocessing, lexicon, seeds, params or environment;"
        " repeatable.",
    ),
]
ReportFile = Annotated[
    Path | None, typer.Option("--report", metavar="FILE", help="Write the report (HTML) to this file.")
]
Timeout = Annotated[
    float | None,
    typer.Option(min=0, metavar="S", help="Seconds to wait in total. The work continues afterwards."),
]
S = TypeVar("S", bound=BaseStudy)


class Deadline:
    """The deadline of a command that waits for several things, one after the other.

    ``timeout_s``: None waits forever.
    """

    def __init__(self, timeout_s: float | None) -> None:
        self._at = None if timeout_s is None else monotonic() + timeout_s

    @property
    def left_s(self) -> float | None:
        """Seconds left, rounded to a tenth because they are shown to people; None without a deadline."""
        return None if self._at is None else max(0.0, round(self._at - monotonic(), 1))


@dataclass(frozen=True, slots=True)
class Asked:
    """How the pins among A and B are evaluated. ``suite``: None if none was named."""

    suite: str | None
    seeds: int
    score: Sequence[str] | None = None
    param: Sequence[str] | None = None
    preprocessing: str | None = None
    lexicon: Path | None = None
    fresh: bool = False

    def evaluate(self, ringtrue: Ringtrue, pin: str) -> Evaluation:
        """Request the evaluation of a pin."""
        suite = self.suite_for(pin)
        params = {name: _value(value) for name, value in pairs(self.param, "--param")}
        how: dict[str, Any] = {
            "pin": pin, "suite": suite_of(suite), "seeds": self.seeds, "score": self.score or None,
            "params": params or None, "preprocessing": self.preprocessing, "fresh": self.fresh or None,
            "lexicon": lexicon_option(self.lexicon),
        }  # fmt: skip
        given = cast(EvaluationOptions, {name: value for name, value in how.items() if value is not None})
        with faults_of(suite, "/suite/text"):
            return ringtrue.evaluations.create(**given)

    def suite_for(self, pin: str) -> str:
        """Return the suite for a pin. Raises `typer.BadParameter` if none was named."""
        if self.suite is None:
            raise typer.BadParameter(
                f"{pin} is the name of a pin (an evaluation's id is eval_ and 26 characters), so a suite is required",
                param_hint="--suite",
            )
        return self.suite

    def side(self, ringtrue: Ringtrue, named: str) -> Evaluation:
        """Return the named evaluation, or request one of the named pin."""
        return ringtrue.evaluations.get(named) if is_evaluation(named) else self.evaluate(ringtrue, named)


def is_evaluation(named: str) -> bool:
    """Return whether ``named`` is an evaluation's id, and not a pin."""
    return EVALUATION_ID.fullmatch(named) is not None


def suite_of(named: str) -> str | Path:
    """Return the name of a suite that ships, or the path of a file."""
    if Path(named).suffix.lower() in SUITE_FILES:
        return Path(named)
    if os.sep in named or Path(named).is_file():
        raise typer.BadParameter(
            f"{named}: the name of a suite file must end in {', '.join(SUITE_FILES)}", param_hint="suite"
        )
    return named


def evaluated(ringtrue: Ringtrue, evaluation: Evaluation, deadline: Deadline, goes_on: str) -> Evaluation:
    """Return the evaluation with its result; see `settled`."""
    return settled(ringtrue.evaluations, evaluation, deadline, goes_on, _going)


def settled(studies: StudyCalls[S], study: S, deadline: Deadline, goes_on: str, going: Any = None) -> S:
    """Wait for a study and return it with its result. Exits the command if there will be no result.

    ``goes_on``: printed if the wait ends first; says that the study goes on, and how to come back to it.
    """
    progress: ProgressLine[S] = ProgressLine(going or (lambda seen: f"{seen.id} {seen.standing}"))
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
    """Return how to come back to an evaluation, as a line for `settled`."""
    again = f"ringtrue evaluations {evaluation_id}"
    return (
        f"{evaluation_id} continues on the server; to wait for it again, run `{again}`; to stop it, `{again} --cancel`"
    )


@contextmanager
def faults_of(file: str, pointer: str) -> Iterator[None]:
    """Report what is wrong with a file as ``FILE:LINE: what``, also if it cannot be read. Exits the command then."""
    try:
        yield
    except InvalidRequest as refusal:
        if not refusal.errors or any(error.pointer != pointer for error in refusal.errors):
            raise
        for error in refusal.errors:
            line = _LINE.fullmatch(error.detail)
            words(f"{file}:{line[1]}: {line[2]}" if line else f"{file}: {in_our_words(error.detail)}")
        raise typer.Exit(ExitCode.REFUSED) from None
    except OSError as error:
        words(f"{file}: {error.strerror}")
        raise typer.Exit(ExitCode.NOT_FOUND) from error
    except UnicodeDecodeError as error:
        words(f"{file}: {why_no_text(error.object)}")
        raise typer.Exit(ExitCode.REFUSED) from error


def check_files(files: Mapping[Path | None, str]) -> None:
    """Refuse files that could not be written, or whose names ask for another format, before anything is requested.

    ``files``: file -> the suffix of its format.
    """
    for file, ending in files.items():
        if file is None:
            continue
        if file.suffix.lower() in _ENDINGS - {ending, f"{ending}l", ending.removesuffix("l")}:
            raise FormatUnavailable(
                f"{file.name}: this file is written as {_FORMATS[ending]}; use a name that ends in {ending}"
            )
        check_place(file)


def write(file: Path, content: bytes, how: Literal["wb", "ab"] = "wb") -> None:
    """Write a file. Raises `NotWritten`."""
    try:
        with file.open(how) as opened:
            opened.write(content)
    except (OSError, ValueError) as error:  # ValueError: a path with a null byte
        raise NotWritten(f"{file}: {getattr(error, 'strerror', None) or error}") from error


def reasons(unscored: Any) -> str:
    """Return the reasons and how many clips are unscored for each."""
    return ", ".join(f"{reason} {count}" for reason, count in sorted(unscored.items()))


def figure(value: float | None, form: str = ".4g") -> str:
    """Return a number for a table; empty for None."""
    return "" if value is None else format(value, form)


def _going(one: Evaluation) -> str:
    done = one.progress
    parts = [f"{one.pin.name} on {one.suite.name}: {done.spoken} of {done.clips} spoken, {done.scored} scored"]
    parts += [f"{done.cached} reused"] if done.cached else []
    parts += [f"{done.failed} failed"] if done.failed else []
    parts += [f"about {one.eta_seconds:.0f} s"] if one.eta_seconds is not None else []
    return ", ".join(parts)


def _value(text: str) -> Any:
    """Return JSON (a number, true, false, ...) as its value, and anything else as text."""
    try:
        return json.loads(text)
    except ValueError:
        return text
