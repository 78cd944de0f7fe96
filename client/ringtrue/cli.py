"""The `ringtrue` command: its parts put together, and every way it can end turned into an exit code.

A composition root. What the commands do stands in `ringtrue.commands`, the exit codes in `ringtrue.exits`.
"""

from __future__ import annotations

import io
import logging
import sys
import traceback
from importlib.metadata import version
from typing import Annotated

import typer
import typer.main

from ringtrue.commands import compare, evaluations, gate, jobs, local, noise, pins, say, voices
from ringtrue.errors import APIError, RingtrueError
from ringtrue.exits import ExitCode, exit_code_of
from ringtrue.terminal import data, words


def main() -> int:
    """Run the command line of this process; gives its exit code."""
    _speak_any_language()
    _show_retries()
    try:
        result = typer.main.get_command(_app()).main(prog_name="ringtrue", standalone_mode=False)
    except RingtrueError as error:
        words(_told(error))
        return exit_code_of(error)
    except Exception as error:  # the one seam: whatever else comes up is an exit code above 63, never 1 or 2
        return _misused(error)
    return result if isinstance(result, int) else ExitCode.DONE


def _app() -> typer.Typer:
    app = typer.Typer(
        pretty_exceptions_enable=False,
        help="Run text-to-speech models and judge them.",
        epilog="Exit codes: 0 done, or a gate's pass; 1 its fail, 2 inconclusive; 64 wrong command line, 65 refused,"
        " 66 not found, 69 gateway unavailable, 70 fault,"
        " 73 cannot write, 75 timed out, 76 job failed, 77 no permission, 78 not installed,"
        " 130 interrupted, 141 nobody reads.",
        context_settings={"help_option_names": ["-h", "--help"]},
    )
    app.callback()(_root)
    judging = (evaluations.evaluate, evaluations.evaluations, compare.compare, noise.noise, gate.gate)
    for command in (say.say, jobs.jobs, jobs.job, jobs.cancel, pins.pins, *judging):
        app.command()(command)
    app.add_typer(voices.voices, name="voices")
    local.add_local_commands(app)
    return app


def _print_version(asked: bool) -> None:
    if asked:
        data(version("ringtrue"))
        raise typer.Exit


def _root(
    ctx: typer.Context,
    url: Annotated[
        str | None, typer.Option(help="The gateway; else RINGTRUE_URL, else port 8000 here.", show_default=False)
    ] = None,
    _: Annotated[
        bool, typer.Option("--version", help="Print the version.", is_eager=True, callback=_print_version)
    ] = False,
) -> None:
    ctx.obj = url


def _misused(error: Exception) -> int:
    """Tell a wrong command line, which is the user's to mend, from a fault, which is ours."""
    # typer carries a click of its own; a local command may be made with click itself, which need not be installed
    click = sys.modules.get("click")
    if isinstance(error, typer.Abort) or (click and isinstance(error, click.Abort)):
        words("given up")
        return ExitCode.INTERRUPTED
    if isinstance(error, typer.TyperException) or (click and isinstance(error, click.ClickException)):
        getattr(error, "show", lambda: words(f"error: {error}"))()
        return ExitCode.USAGE
    traceback.print_exception(error)
    words("this is a fault of ringtrue, not of yours")
    return ExitCode.INTERNAL


def _told(error: RingtrueError) -> str:
    lines = [f"error: {error}"]
    if isinstance(error, APIError):
        told = [f"{wrong.pointer or '/'}: {wrong.detail}" for wrong in error.errors]
        lines += [f"  {line}" for line in told if line not in error.detail]
        lines += [f"  request {error.request_id}"] if error.request_id else []
    return "\n".join(lines)


def _speak_any_language() -> None:
    """A terminal that cannot show a character shows a stand-in; the command does not fail over it."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")


def _show_retries() -> None:
    """What the client logs (that it tries again, and why) is words too."""
    log = logging.getLogger("ringtrue.client")
    log.addHandler(_Words())
    log.setLevel(logging.INFO)


class _Words(logging.Handler):
    def emit(self, record: logging.LogRecord) -> None:
        words(record.getMessage())
