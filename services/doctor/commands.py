"""The command `ringtrue doctor`.

A composition root of its own: it reads the environment, and nothing else in this package does.
"""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path
from typing import Annotated, TextIO

import typer

from services.doctor.checks.mirrors import Endpoints
from services.doctor.checks.tracking_server import Credentials
from services.doctor.findings import FindingStatus
from services.doctor.panel import CHECKS, Patient, cache_folders, checks_for
from services.doctor.report import document, line, worst
from services.doctor.round import make_round
from shared.errors import SettingsError
from shared.settings import Settings, read_settings, unknown_settings
from shared.values.printable import printable, screen

_UNFIT = 1
_NOBODY_READS = 141

doctor = typer.Typer(add_completion=False, context_settings={"help_option_names": ["-h", "--help"]})


def _named(names: list[str] | None) -> list[str] | None:
    if unknown := [name for name in names or () if name not in CHECKS]:
        raise typer.BadParameter(f"unknown check {', '.join(unknown)}; known: {', '.join(CHECKS)}")
    return names


@doctor.command("doctor")
def doctor_command(
    only: Annotated[
        list[str] | None, typer.Option(metavar="CHECK", help="Run only this check; repeatable.", callback=_named)
    ] = None,
    pin: Annotated[
        list[str] | None,
        typer.Option(metavar="PIN", help="A pin to be served here; repeatable. Default: all locked pins."),
    ] = None,
    host: Annotated[str, typer.Option(help="Address of the gateway.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=1, max=65535, help="Port of the gateway.")] = 8000,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON document.")] = False,
) -> None:
    """Is this machine fit to run Ringtrue? A line per finding: ok, not tried, warn or fail, and what to do.

    Exit codes: 0 nothing fails, 1 something does.
    """
    os.umask(0o077)  # files that a check writes to try something are private
    patient = _patient(host, port, pin or [])
    wanted = {*(only or CHECKS), *(["settings"] if isinstance(patient.settings, str) else [])}
    checks = [check for check in checks_for(patient) if check.name in wanted]
    colour = screen(sys.stdout).isatty() and not os.environ.get("NO_COLOR")
    found = []
    for check, findings in make_round(checks):
        for finding in findings:
            found.append((check, finding))
            if not as_json:
                _say(line(check, finding, colour=colour), screen(sys.stdout))
    if as_json:
        _say(printable(json.dumps(document(found), indent=2, ensure_ascii=False)))
    if worst(finding.status for _, finding in found) is FindingStatus.FAIL:
        raise typer.Exit(_UNFIT)


def _say(text: str, out: TextIO | None = None) -> None:
    """Print one or more lines. The reader (``| head``) may close the pipe, and that is no verdict."""
    try:
        typer.echo(text, out)
    except OSError as error:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # else Python complains when it flushes at exit
        if isinstance(error, BrokenPipeError):
            raise typer.Exit(_NOBODY_READS) from None
        typer.echo(f"error: standard output: {error.strerror}", err=True)
        raise typer.Exit(os.EX_CANTCREAT) from error


def _patient(host: str, port: int, pins: list[str]) -> Patient:
    environ = os.environ
    return Patient(
        settings=_settings(),
        misspelt=unknown_settings(environ),
        named_redis=environ.get("RINGTRUE_REDIS_URL") or None,
        credentials=Credentials(
            *(environ.get(f"MLFLOW_TRACKING_{name}") for name in ("USERNAME", "PASSWORD", "TOKEN"))
        ),
        endpoints=Endpoints.of(environ),
        caches=cache_folders(environ, Path.home()),
        host=host,
        port=port,
        pins=pins,
        cores=len(os.sched_getaffinity(0)),
    )


def _settings() -> Settings | str:
    try:
        return read_settings(os.environ)
    except SettingsError as error:
        return str(error)
