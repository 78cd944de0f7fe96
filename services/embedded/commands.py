"""The commands `ringtrue up` and `ringtrue down`. Owns options, help and exit codes; app.py does the rest."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import typer

from services.embedded.app import fitting_scorer_slots, run_down, run_up
from services.embedded.errors import StackError
from services.embedded.stack import StackOptions
from shared.errors import SettingsError

_INTERRUPTED = 128 + signal.SIGINT
_HELP = {"help_option_names": ["-h", "--help"]}

up = typer.Typer(add_completion=False, context_settings=_HELP)
down = typer.Typer(add_completion=False, context_settings=_HELP)

Data = Annotated[
    Path | None,
    typer.Option(
        help="Folder of store, audio, queue, runs and logs. Default: RINGTRUE_DATA or ~/.local/share/ringtrue."
    ),
]
MlflowPort = Annotated[
    int | None,
    typer.Option(
        min=0,
        max=65535,
        help="Port of its own MLflow, kept for later starts; 0: any free one.",
        show_default="the one of before, at first from 5000 up",
    ),
]


@up.command("up")
def up_command(
    *,
    host: Annotated[
        str, typer.Option(help="Address of the gateway; any but loopback needs a key made first.")
    ] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=0, max=65535, help="Port of the gateway; 0: any free one.")] = 8000,
    mlflow_port: MlflowPort = None,
    data: Data = None,
    replace: Annotated[
        bool, typer.Option("--replace", help="End a stack that runs in the folder, take its place.")
    ] = False,
    worker_slots: Annotated[int | None, typer.Option(min=1, help="Jobs spoken at once.", show_default="1")] = None,
    scorer_slots: Annotated[
        int | None, typer.Option(min=1, help="Clips measured at once.", show_default="by cores and memory")
    ] = None,
    accept_empty: Annotated[
        bool, typer.Option("--accept-empty", help="Begin anew although there is audio of a store that is lost.")
    ] = False,
    verbose: Annotated[
        bool, typer.Option("--verbose", "-v", help="Show all that gateway, worker and scorer say.")
    ] = False,
) -> None:
    """Run all of Ringtrue on this machine, until Ctrl-C: Redis, MLflow, gateway, worker and scorer.

    RINGTRUE_REDIS_URL, RINGTRUE_DATABASE_URL and MLFLOW_TRACKING_URI name servers to use instead of its own.
    Exit codes: 69 a port or a part is not available, 73 and 74 folder or disk, 75 runs already, 77 another
    user's, 78 settings.
    """
    options = StackOptions(
        host=host,
        port=port,
        mlflow_port=mlflow_port,
        worker_slots=worker_slots,
        scorer_slots=scorer_slots or fitting_scorer_slots(),
        accept_empty=accept_empty,
    )
    with _said_in_one_line():
        run_up(options, data, replace=replace, verbose=verbose)


@down.command("down")
def down_command(data: Data = None) -> None:
    """End the stack that runs in the data folder, and nothing else. The exit code is also 0 if none runs."""
    with _said_in_one_line():
        run_down(data)


@contextmanager
def _said_in_one_line() -> Iterator[None]:
    try:
        yield
    except (StackError, SettingsError) as error:
        typer.echo(f"error: {error}", err=True)
        raise typer.Exit(error.exit_code if isinstance(error, StackError) else os.EX_CONFIG) from error
    except KeyboardInterrupt as error:  # before anything was started; after that it is a clean stop
        raise typer.Exit(_INTERRUPTED) from error
