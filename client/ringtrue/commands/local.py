"""Commands that work without a gateway; the services provide them.

Owns finding them by name in the entry points and passing the command line on. Imports nothing of theirs before it is
used. Knows only a line of help for each command that ships.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from importlib.metadata import EntryPoint, entry_points
from typing import Any

import typer
import typer.main

from ringtrue.console.exits import ExitCode
from ringtrue.console.terminal import words

GROUP = "ringtrue.commands"
PASS_ON = {"ignore_unknown_options": True, "allow_extra_args": True, "allow_interspersed_args": False}
"""The whole command line belongs to the local command, ``--help`` included."""
LINES: Mapping[str, str] = {
    "certify": "Record how repeatable the audio of a pin is on this machine; compare two machines.",
    "doctor": "Check this machine and say what to fix.",
    "down": "Stop what `ringtrue up` started.",
    "engines": "List the engine families and the Python of each; install what a family needs.",
    "keys": "Create, list and revoke API keys.",
    "models": "Lock, pull, verify and export models; move aliases.",
    "suites": "List, show and check suites, the texts that evaluations speak.",
    "up": "Start the gateway, a worker, a scorer, Redis and MLflow on this machine.",
}


def add_local_commands(app: typer.Typer) -> None:
    """Add a command for each entry point."""
    for entry in sorted(entry_points(group=GROUP), key=lambda entry: entry.name):
        app.command(
            entry.name,
            context_settings=PASS_ON,
            add_help_option=False,
            help=LINES.get(entry.name, f"Command of {entry.module.partition('.')[0]}."),
            rich_help_panel="On this machine, without a gateway",
        )(_handing_over_to(entry))


def is_local(command: str | None) -> bool:
    """Return whether a command works without a gateway."""
    return any(entry.name == command for entry in entry_points(group=GROUP))


def others_commands() -> set[str]:
    """Return the local commands that do not ship with Ringtrue. Their options have their own meaning."""
    return {entry.name for entry in entry_points(group=GROUP)} - set(LINES)


def _handing_over_to(entry: EntryPoint) -> Callable[[typer.Context], None]:
    def hand_over(ctx: typer.Context) -> None:
        result = _loaded(entry).main(args=ctx.args, prog_name=ctx.command_path, standalone_mode=False)
        raise typer.Exit(result if isinstance(result, int) else ExitCode.DONE)

    return hand_over


def _loaded(entry: EntryPoint) -> Any:
    """Load the command that ``entry`` names: a typer app as a command, or a click command as it is."""
    try:
        command = entry.load()
    except ModuleNotFoundError as error:
        extra = entry.name if entry.name == "certify" else "embedded"
        words(f"`ringtrue {entry.name}` needs {error.name}, which is not installed; install ringtrue[{extra}]")
        raise typer.Exit(ExitCode.MISSING_PART) from error
    return typer.main.get_command(command) if isinstance(command, typer.Typer) else command
