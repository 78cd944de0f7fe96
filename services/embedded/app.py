"""The composition root of `ringtrue up` and `ringtrue down`: reads the environment, runs or ends a stack in its
folder."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import psutil  # type: ignore[import-untyped]

from services.embedded.lifecycle import bring_down, bring_up
from services.embedded.preflight import writing
from services.embedded.processes.journal import View
from services.embedded.stack import Given, StackOptions, plan_stack, scorer_slots_for
from shared.blobs import local_folders
from shared.files.private_folder import keep_private
from shared.sandbox.privileges import hide_from_others
from shared.settings import SETTINGS, Settings, read_settings, unknown_settings
from shared.values.printable import screen


def run_up(options: StackOptions, data: Path | None, *, replace: bool, verbose: bool) -> None:
    """Run the stack until interrupted. Raises `StackError` or ``SettingsError`` if it cannot run."""
    environ = {
        name: value for name, value in os.environ.items() if name in SETTINGS or not name.startswith("RINGTRUE_")
    }
    settings = _settings(data)
    with writing(settings.data):
        keep_private(settings.data, (*local_folders(settings.blobs), settings.models, settings.engines))
    view = _view(verbose)
    hide_from_others()  # this process knows the passwords and keys of its children
    for line in unknown_settings(os.environ):  # once here, and not by each child
        view.say(f"WARNING: {line}")
    given = Given(environ.get("RINGTRUE_REDIS_URL") or None, settings.mlflow_tracking_uri)
    bring_up(settings.data, lambda: plan_stack(options, settings, given, environ), view, replace=replace)


def fitting_scorer_slots() -> int:
    """Return how many clips this machine may measure at once, from its cores and its free memory."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return scorer_slots_for(cores, psutil.virtual_memory().available)


def run_down(data: Path | None) -> None:
    """End the stack of the data folder, if one runs. Raises `StackError` if it cannot be ended."""
    folder = _settings(data).data
    view = _view(verbose=False)
    with writing(folder):
        ran = bring_down(folder, view.say)
    view.say(
        f"stopped ({folder})"
        if ran
        else f"no stack runs in {folder}; that of another data folder: ringtrue down --data FOLDER"
    )


def _settings(data: Path | None) -> Settings:
    return read_settings({**os.environ, "RINGTRUE_DATA": str(data)} if data else os.environ)


def _view(verbose: bool) -> View:
    out = screen(sys.stderr)
    return View(out, verbose=verbose, colour=out.isatty() and not os.environ.get("NO_COLOR"))
