"""`ringtrue noise`: a pin against itself, to know which differences say nothing."""

from __future__ import annotations

from typing import Annotated

import typer

from ringtrue import Evaluation
from ringtrue.commands.connection import AsJson, LexiconFile, connect
from ringtrue.commands.evaluations import PinName
from ringtrue.commands.studying import (
    Asked,
    Deadline,
    Fresh,
    Param,
    Preprocessing,
    Score,
    Timeout,
    come_back,
    evaluated,
    figure,
)
from ringtrue.console.terminal import data_json, data_table, words

SuiteArgument = Annotated[
    str, typer.Argument(metavar="SUITE", help="Name of a built-in suite, or a YAML or JSONL file.")
]
Seeds = Annotated[int, typer.Option("--seeds", min=2, help="Number of seeds; every item is spoken once with each.")]
ZERO = "zero: all seeds gave the same score, so it cannot be used as a unit of margins"


def noise(
    ctx: typer.Context,
    pin: PinName,
    suite: SuiteArgument,
    *,
    seeds: Seeds,
    score: Score = None,
    param: Param = None,
    preprocessing: Preprocessing = None,
    lexicon: LexiconFile = None,
    fresh: Fresh = False,
    timeout: Timeout = None,
    as_json: AsJson = False,
) -> None:
    """Measure how much scores differ between two readings of a suite when only the seed changes.

    Gates use it as a unit.
    """
    with connect(ctx) as ringtrue:
        asked = Asked(suite, seeds, score, param, preprocessing, lexicon, fresh).evaluate(ringtrue, pin)
        words(asked.id)
        found = evaluated(ringtrue, asked, Deadline(timeout), come_back(asked.id))
    if as_json:
        data_json(found.raw)
    else:
        _print(found)


def _print(found: Evaluation) -> None:
    result = found.result
    floors, metrics = (result.noise, result.metrics) if result else ({}, {})
    data_table(
        ("METRIC", "FLOOR", "SIGMA", "UNIT", "MEAN", "ITEMS", "FREEDOM", "NOTE"),
        (
            (
                *(name, f"± {floor.run_to_run:.3g}", f"{floor.sigma:.3g}", metrics[name].unit),
                *(figure(metrics[name].mean), str(floor.items), str(floor.freedom), ZERO if floor.is_zero else ""),
            )
            for name, floor in floors.items()
            if name in metrics
        ),
    )
    if not floors:
        words("no noise floor: nothing was scored with two or more seeds")
