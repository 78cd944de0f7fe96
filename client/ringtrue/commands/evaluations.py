"""`ringtrue evaluate`, `ringtrue evaluations`: suites, spoken by a pin and scored."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import islice
from typing import Annotated

import typer

from ringtrue import Evaluation, Ringtrue
from ringtrue.commands.connection import AsJson, LexiconFile, connect
from ringtrue.commands.studying import (
    Asked,
    Deadline,
    Fresh,
    Param,
    Preprocessing,
    Score,
    Seeds,
    SuiteName,
    Timeout,
    come_back,
    evaluated,
    figure,
    reasons,
)
from ringtrue.console.terminal import data, data_json, data_table, words

PinName = Annotated[str, typer.Argument(metavar="PIN", help="Name of a pin, or an alias.")]
NoWait = Annotated[bool, typer.Option("--no-wait", help="Start the evaluation, print its id, and do not wait.")]
ByPin = Annotated[str | None, typer.Option("--pin", help="Only evaluations of this pin.")]
BySuite = Annotated[str | None, typer.Option("--suite", help="Only evaluations of this suite.")]
One = Annotated[str | None, typer.Argument(metavar="ID", help="Wait for this evaluation and print its means.")]
Stop = Annotated[
    bool, typer.Option("--cancel", help="Cancel this evaluation. Clips that are not spoken yet are canceled.")
]
Limit = Annotated[int, typer.Option("--limit", "-n", min=1, help="Most evaluations to list.")]


def evaluate(
    ctx: typer.Context,
    pin: PinName,
    *,
    suite: SuiteName,
    seeds: Seeds = 1,
    score: Score = None,
    param: Param = None,
    preprocessing: Preprocessing = None,
    lexicon: LexiconFile = None,
    fresh: Fresh = False,
    no_wait: NoWait = False,
    timeout: Timeout = None,
    as_json: AsJson = False,
) -> None:
    """Let a pin speak a suite, score it, and print the means.

    Clips that were spoken the same way before are used again.
    """
    with connect(ctx) as ringtrue:
        asked = Asked(suite, seeds, score, param, preprocessing, lexicon, fresh).evaluate(ringtrue, pin)
        if not no_wait:
            words(asked.id)
            asked = evaluated(ringtrue, asked, Deadline(timeout), come_back(asked.id))
    if as_json:
        data_json(asked.raw)
    elif no_wait:
        data(asked.id)
    else:
        _print(asked)


def evaluations(
    ctx: typer.Context,
    one: One = None,
    *,
    cancel: Stop = False,
    timeout: Timeout = None,
    pin: ByPin = None,
    suite: BySuite = None,
    limit: Limit = 20,
    as_json: AsJson = False,
) -> None:
    """List your evaluations, newest first; or wait for one of them, or stop it."""
    if one is not None:
        _see_through(ctx, one, cancel, timeout, as_json)
        return
    if cancel:
        raise typer.BadParameter("give the id of an evaluation too", param_hint="--cancel")
    with connect(ctx) as ringtrue:
        found = list(islice(ringtrue.evaluations.all(pin=pin, suite=suite), limit))
    if as_json:
        data_json([one.raw for one in found])
    else:
        _print_list(found)


def _see_through(ctx: typer.Context, named: str, cancel: bool, timeout: float | None, as_json: bool) -> None:
    with connect(ctx) as ringtrue:
        seen = ringtrue.evaluations.cancel(named) if cancel else _waited_for(ringtrue, named, timeout)
    if as_json:
        data_json(seen.raw)
    elif cancel:
        data(f"{seen.id} {seen.status}")
    else:
        _print(seen)


def _waited_for(ringtrue: Ringtrue, named: str, timeout: float | None) -> Evaluation:
    return evaluated(ringtrue, ringtrue.evaluations.get(named), Deadline(timeout), come_back(named))


def _print_list(found: Iterable[Evaluation]) -> None:
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
