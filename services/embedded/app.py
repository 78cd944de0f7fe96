"""Composition root of `ringtrue up` and `ringtrue down`: environment and terminal in, a stack in its folder out."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import psutil  # type: ignore[import-untyped]

from services.embedded.journal import View
from services.embedded.lifecycle import bring_down, bring_up
from services.embedded.stack import Given, StackOptions, plan_stack, scorer_slots_for
from shared.settings import SETTINGS, Settings, read_settings, unknown_settings


def run_up(options: StackOptions, data: Path | None, *, replace: bool, verbose: bool) -> None:
    """Run the stack until interrupted. `StackError` or ``SettingsError`` where it cannot be."""
    environ = {
        name: value for name, value in os.environ.items() if name in SETTINGS or not name.startswith("RINGTRUE_")
    }
    settings = _settings(data)
    view = _view(verbose)
    for line in unknown_settings(os.environ):  # said once here, and not by each child
        view.say(f"WARNING: {line}")
    given = Given(environ.get("RINGTRUE_REDIS_URL") or None, settings.mlflow_tracking_uri)
    bring_up(settings.data, lambda: plan_stack(options, settings, given, environ), view, replace=replace)


def fitting_scorer_slots() -> int:
    """How many clips this machine may measure at once, by the cores and the memory that are ours now."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return scorer_slots_for(cores, psutil.virtual_memory().available)


def run_down(data: Path | None) -> None:
    """End the stack of the data folder, if one runs. `StackError` where it cannot be ended."""
    folder = _settings(data).data
    view = _view(verbose=False)
    view.say(f"stopped ({folder})" if bring_down(folder, view.say) else f"no stack runs in {folder}")


def _settings(data: Path | None) -> Settings:
    return read_settings({**os.environ, "RINGTRUE_DATA": str(data)} if data else os.environ)


def _view(verbose: bool) -> View:
    return View(sys.stderr, verbose=verbose, colour=sys.stderr.isatty() and not os.environ.get("NO_COLOR"))
