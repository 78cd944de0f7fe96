"""From a job that was taken to what its caller wants of it: the wait, the file, the exit code."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated, Literal

import typer

from ringtrue import Job, Ringtrue
from ringtrue.exits import ExitCode
from ringtrue.jobs import Until
from ringtrue.terminal import Progress, data_bytes, job_going, words

LOOK_S = 1.0
"""How often progress is looked at."""

WaitFor = Literal["none", "status", "scoring", "tracking"]
Timeout = Annotated[float | None, typer.Option(min=0, metavar="S", help="Seconds to wait; the job goes on after them.")]
Output = Annotated[str | None, typer.Option("--output", "-o", metavar="FILE", help="The WAV file; - is stdout.")]


def check_output(output: str | None, as_json: bool, until: WaitFor) -> None:
    """Refuse, before the gateway is asked for anything, a file that could not be delivered."""
    if output is None:
        return
    if until == "none":
        raise typer.BadParameter("there is no audio yet with --wait-for none", param_hint="--output")
    if output == "-" and as_json:
        raise typer.BadParameter("stdout is taken by --json", param_hint="--output")
    if output == "-" and sys.stdout.isatty():
        raise typer.BadParameter("stdout is a terminal", param_hint="--output")
    if not Path(output).parent.is_dir():
        words(f"{output}: there is no such folder")
        raise typer.Exit(ExitCode.CANNOT_WRITE)


def deliver(ringtrue: Ringtrue, job: Job, until: WaitFor, timeout: float | None, output: str | None) -> Job:
    """Wait; write the audio as soon as there is any, without waiting for scores."""
    if until == "none":
        return job
    progress = Progress(job_going)
    job = _watched(ringtrue, job, "status", timeout, progress)
    if output and job.succeeded:
        _write(ringtrue, job, output)
    return job if until == "status" else _watched(ringtrue, job, until, timeout, progress)


def end(job: Job, until: WaitFor) -> None:
    """End with JOB_FAILED and the reason, unless the job and the facet that was waited for came to a good end."""
    if until != "none" and not job.succeeded:
        words(f"{job.id} {job.status}" + (f": {job.error.code}: {job.error.message}" if job.error else ""))
    elif until == "scoring" and job.scoring.status == "failed":
        words(f"{job.id} was spoken, its scoring failed")
    elif until == "tracking" and job.tracking.status == "failed":
        words(f"{job.id} was spoken, its tracking failed")
    else:
        return
    raise typer.Exit(ExitCode.JOB_FAILED)


def _watched(ringtrue: Ringtrue, job: Job, until: Until, timeout: float | None, progress: Progress[Job]) -> Job:
    try:
        with progress.shown() as watcher:
            return ringtrue.wait(job, until=until, timeout=timeout, poll_s=LOOK_S, watcher=watcher)
    except KeyboardInterrupt:
        words(f"{job.id} goes on; `ringtrue cancel {job.id}` stops it")
        raise


def _write(ringtrue: Ringtrue, job: Job, output: str) -> None:
    if output == "-":
        data_bytes(ringtrue.audio(job))
        return
    try:
        ringtrue.save(job, output)
    except OSError as error:
        words(f"{output}: {error.strerror}; `ringtrue job {job.id} -o FILE` fetches it once more")
        raise typer.Exit(ExitCode.CANNOT_WRITE) from error
