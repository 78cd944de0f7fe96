"""What a command does with an accepted job: wait, write the file, set the exit code."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal

import typer

from ringtrue import Job, Ringtrue
from ringtrue.audio import check_ending
from ringtrue.console.exits import ExitCode
from ringtrue.console.printable import screen
from ringtrue.console.terminal import ProgressLine, data_bytes, job_going, words
from ringtrue.errors import NotWritten
from ringtrue.jobs import Until

LOOK_S = 1.0
"""Seconds between two looks at the progress."""

WaitFor = Literal["none", "status", "scoring", "tracking"]
Timeout = Annotated[
    float | None, typer.Option(min=0, metavar="S", help="Seconds to wait. The job continues afterwards.")
]
Output = Annotated[
    str | None, typer.Option("--output", "-o", metavar="FILE", help="Write the audio (WAV) to this file; - is stdout.")
]


def check_output(output: str | None, as_json: bool, until: WaitFor) -> None:
    """Refuse a file that could not be written, before anything is requested from the gateway."""
    if output is None:
        return
    if until == "none":
        raise typer.BadParameter("no audio is available with --wait-for none", param_hint="--output")
    if output == "-" and as_json:
        raise typer.BadParameter("stdout cannot be used together with --json", param_hint="--output")
    if output == "-" and screen(sys.stdout).isatty():
        raise typer.BadParameter("stdout is a terminal; use a file or a pipe", param_hint="--output")
    if not output:
        raise typer.BadParameter("needs the name of a file", param_hint="--output")
    if output != "-":
        check_place(check_ending(output))


def check_place(file: Path) -> None:
    """Exit with CANNOT_WRITE if ``file`` is a folder, or in one that does not exist."""
    if file.is_dir():
        words(f"{file}: is a folder; give the name of a file in it")
    elif not file.absolute().parent.is_dir():
        words(f"{file}: the folder does not exist")
    else:
        return
    raise typer.Exit(ExitCode.CANNOT_WRITE)


@dataclass(frozen=True, slots=True)
class Delivered:
    """A job after the wait. ``unwritten``: why its audio is not in the requested file, if it is not."""

    job: Job
    unwritten: NotWritten | None = None


def deliver(ringtrue: Ringtrue, job: Job, until: WaitFor, timeout: float | None, output: str | None) -> Delivered:
    """Wait for a job. The audio is written as soon as it is there, without waiting for scores."""
    if until == "none":
        return Delivered(job)
    progress = ProgressLine(job_going)
    job = _watched(ringtrue, job, "status", timeout, progress)
    unwritten = _write(ringtrue, job, output) if output and job.succeeded else None
    return Delivered(job if until == "status" else _watched(ringtrue, job, until, timeout, progress), unwritten)


def end(delivered: Delivered, until: WaitFor) -> None:
    """Exit with JOB_FAILED and the reason, unless the job and the facet that was waited for ended well.

    Raises `NotWritten` if the audio was not written. Call it after the job is printed: the job exists all the same.
    """
    job = delivered.job
    if delivered.unwritten is not None:
        raise delivered.unwritten
    if until != "none" and not job.succeeded:
        words(f"{job.id} {job.status}" + (f": {job.error.code}: {job.error.message}" if job.error else ""))
    elif until == "scoring" and job.scoring.status == "failed":
        words(f"{job.id} was spoken, but scoring failed")
    elif until == "tracking" and job.tracking.status == "failed":
        words(f"{job.id} was spoken, but tracking failed")
    else:
        return
    raise typer.Exit(ExitCode.JOB_FAILED)


def _watched(ringtrue: Ringtrue, job: Job, until: Until, timeout: float | None, progress: ProgressLine[Job]) -> Job:
    try:
        with progress.shown() as watcher:
            return ringtrue.wait(job, until=until, timeout=timeout, poll_s=LOOK_S, watcher=watcher)
    except KeyboardInterrupt:
        words(f"{job.id} continues on the server; to stop it, run `ringtrue cancel {job.id}`")
        raise


def _write(ringtrue: Ringtrue, job: Job, output: str) -> NotWritten | None:
    if output == "-":
        data_bytes(ringtrue.audio(job))
        return None
    try:
        ringtrue.save(job, output)
    except (OSError, ValueError) as error:  # ValueError: a path with a null byte
        why = getattr(error, "strerror", None) or error
        return NotWritten(f"{output}: {why}; to fetch the audio again, run `ringtrue job {job.id} -o FILE`")
    return None
