"""The `ringtrue` command: composes its parts, and turns every way it can end into an exit code.

A composition root. The commands are in `ringtrue.commands`, the exit codes in `ringtrue.console.exits`.
"""

from __future__ import annotations

import io
import logging
import os
import sys
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.metadata import version
from pathlib import Path
from typing import Annotated

import typer
import typer.main

from ringtrue.commands import compare, evaluations, gate, jobs, local, noise, pins, say, voices
from ringtrue.commands.refusals import told
from ringtrue.console.arguments import options_first
from ringtrue.console.exits import ExitCode, exit_code_of
from ringtrue.console.printable import PrintableStream, open_closed_streams
from ringtrue.console.terminal import data, words
from ringtrue.errors import OutputFailed, RingtrueError, TextInvalid
from ringtrue.texts import argument_at_fault


def main() -> int:
    """Run the command line of this process and return its exit code."""
    open_closed_streams()
    _speak_any_language()
    out = PrintableStream(sys.stdout, asked_for=True)
    sys.stdout, sys.stderr = out, PrintableStream(sys.stderr)
    try:
        with _retries_shown():
            result = _run(out)
    except RingtrueError as error:
        if not (isinstance(error, OutputFailed) and error.gone):
            words(told(error))
        return exit_code_of(error)
    except Exception as error:  # the only catch-all: any other error is an exit code above 63, never 1 or 2
        return _misused(error)
    return result if isinstance(result, int) else ExitCode.DONE


def _run(out: PrintableStream) -> object:
    """Run a command; raises what it raises.

    If an argument is not valid text, raises `TextInvalid` that names the argument.
    """
    try:
        arguments = options_first(sys.argv[1:], local.others_commands())
        return typer.main.get_command(_app()).main(arguments, prog_name="ringtrue", standalone_mode=False)
    except (TextInvalid, UnicodeEncodeError):
        if (fault := argument_at_fault(sys.argv[1:])) is None:
            raise
        raise TextInvalid(fault) from None
    finally:
        try:
            out.finish()
        finally:
            sys.stdout = out.screen  # Python flushes once more at the end, and the failure has already been reported


def _app() -> typer.Typer:
    app = typer.Typer(
        pretty_exceptions_enable=False,
        help="Run text-to-speech models and evaluate them.",
        epilog="Exit codes: 0 done, or gate passed; 1 gate failed; 2 gate inconclusive; 64 wrong command line;"
        " 65 refused; 66 not found; 69 gateway unavailable; 70 internal error;"
        " 73 cannot write; 75 timed out; 76 job failed; 77 no permission; 78 not installed or not set up;"
        " 130 interrupted; 141 output closed.",
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
        str | None,
        typer.Option(
            help="URL of the gateway. Default: RINGTRUE_URL, or port 8000 on this machine.", show_default=False
        ),
    ] = None,
    data_folder: Annotated[
        Path | None,
        typer.Option(
            "--data",
            help="Data folder for commands that use no gateway. Default: RINGTRUE_DATA, or ~/.local/share/ringtrue.",
            show_default=False,
        ),
    ] = None,
    _: Annotated[
        bool, typer.Option("--version", help="Print the version.", is_eager=True, callback=_print_version)
    ] = False,
) -> None:
    is_local = local.is_local(ctx.invoked_subcommand)
    if url is not None and is_local:
        raise typer.BadParameter(
            f"`ringtrue {ctx.invoked_subcommand}` does not use a gateway; to name its data folder, use --data"
        )
    if data_folder is not None:
        if not is_local:
            raise typer.BadParameter(f"`ringtrue {ctx.invoked_subcommand}` uses a gateway; to name it, use --url")
        os.environ["RINGTRUE_DATA"] = str(data_folder)  # the local commands read it there
    ctx.obj = url


def _misused(error: Exception) -> int:
    """Report an error and return its exit code.

    A wrong command line is for the user to correct; anything else is our fault.
    """
    # typer carries its own click; a local command may use click itself, which need not be installed
    click = sys.modules.get("click")
    if isinstance(error, typer.Abort) or (click and isinstance(error, click.Abort)):
        words("canceled")
        return ExitCode.INTERRUPTED
    if isinstance(error, typer.TyperException) or (click and isinstance(error, click.ClickException)):
        getattr(error, "show", lambda: words(f"error: {error}"))()
        return ExitCode.USAGE
    traceback.print_exception(error)
    words("this is an error in Ringtrue, not in your command; please report it")
    return ExitCode.INTERNAL


def _speak_any_language() -> None:
    """Let a terminal replace a character that it cannot show, so that the command does not fail."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")


@contextmanager
def _retries_shown() -> Iterator[None]:
    """Show what the client logs (that it tries again, and why) on stderr."""
    log, handler = logging.getLogger("ringtrue.client"), _Words()
    log.addHandler(handler)
    log.setLevel(logging.INFO)
    try:
        yield
    finally:
        log.removeHandler(handler)


class _Words(logging.Handler):
    """Shows why something is tried again, once for each reason."""

    def __init__(self) -> None:
        super().__init__()
        self._said = ""

    def emit(self, record: logging.LogRecord) -> None:
        why = str(record.args[0]) if isinstance(record.args, tuple) and record.args else record.getMessage()
        if why != self._said:
            words(record.getMessage())
        self._said = why
