"""`ringtrue evaluate`, `ringtrue evaluations`: a suite, spoken by a pin and scored."""

from __future__ import annotations

from itertools import islice
from typing import Annotated

import typer

from ringtrue import Evaluation
from ringtrue.commands.connection import AsJson, connect
from ringtrue.commands.delivery import Timeout
from ringtrue.commands.studying import (
    Asked,
    Fresh,
    Param,
    Preprocessing,
    Score,
    Seeds,
    SuiteName,
    evaluated,
    figure,
    reasons,
)
from ringtrue.terminal import data, data_json, data_table, words

PinName = Annotated[str, typer.Argument(metavar="PIN", help="Model version, or an alias of it.")]
NoWait = Annotated[bool, typer.Option("--no-wait", help="Only ask for it, and print its id.")]
ByPin = Annotated[str | None, typer.Option("--pin", help="Model version.")]
BySuite = Annotated[str | None, typer.Option("--suite", help="Name of a suite.")]
Limit = Annotated[int, typer.Option("--limit", "-n", min=1, help="At most so many.")]


def evaluate(
    ctx: typer.Context,
    pin: PinName,
    *,
    suite: SuiteName,
    seeds: Seeds = 1,
    score: Score = None,
    param: Param = None,
    preprocessing: Preprocessing = None,
    fresh: Fresh = False,
    no_wait: NoWait = False,
    timeout: Timeout = None,
    as_json: AsJson = False,
) -> None:
    """Let a pin speak a suite, score it, and print the means. What was spoken so before is taken as it is."""
    with connect(ctx) as ringtrue:
        asked = Asked(suite, seeds, score, param, preprocessing, fresh).evaluate(ringtrue, pin)
        if not no_wait:
            words(asked.id)
            asked = evaluated(ringtrue, asked, timeout)
    if as_json:
        data_json(asked.raw)
    elif no_wait:
        data(asked.id)
    else:
        _print(asked)


def evaluations(
    ctx: typer.Context, *, pin: ByPin = None, suite: BySuite = None, limit: Limit = 20, as_json: AsJson = False
) -> None:
    """List your evaluations, newest first."""
    with connect(ctx) as ringtrue:
        found = list(islice(ringtrue.evaluations.all(pin=pin, suite=suite), limit))
    if as_json:
        data_json([one.raw for one in found])
        return
    data_table(
        ("ID", "STATUS", "PIN", "SUITE", "SEEDS", "CLIPS", "SCORED", "FAILED", "CREATED"),
        (
            (
                *(one.id, one.status, one.pin.name, f"{one.suite.name} {one.suite.version}", str(len(one.seeds))),
                *(str(one.progress.clips), str(one.progress.scored), str(one.progress.failed)),
                one.created_at.astimezone().strftime("%Y-%m-%d %H:%M:%S"),
            )
            for one in found
        ),
    )


def _print(one: Evaluation) -> None:
    metrics = one.result.metrics if one.result else {}
    data_table(
        ("METRIC", "MEAN", "UNIT", "BETTER", "ITEMS", "SCORED", "UNSCORED"),
        (
            (
                *(name, figure(found.mean), found.unit, found.direction, str(found.n), str(found.scored)),
                reasons(found.unscored),
            )
            for name, found in metrics.items()
        ),
    )
