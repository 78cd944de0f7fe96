"""`ringtrue compare`: two pins, or two evaluations, held against each other."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal

import typer

from ringtrue import Comparison, Evaluation, Range, Ringtrue, RingtrueError, Row
from ringtrue.commands.connection import AsJson, connect
from ringtrue.commands.studying import (
    Allow,
    Asked,
    Deadline,
    Fresh,
    Param,
    Preprocessing,
    Score,
    Seeds,
    SuiteOfPins,
    Timeout,
    check_files,
    evaluated,
    figure,
    reasons,
    settled,
    write,
)
from ringtrue.terminal import data_json, data_table, words

Baseline = Annotated[str, typer.Argument(metavar="A", help="The baseline: a pin, or an evaluation's id.")]
Candidate = Annotated[str, typer.Argument(metavar="B", help="The candidate: likewise.")]
Output = Annotated[Path | None, typer.Option("--output", "-o", metavar="FILE", help="Write the report (HTML) here.")]
By = Annotated[
    Literal["overall", "emotion", "language", "tag"],
    typer.Option("--by", help="A row for each emotion, language, tag."),
]


def compare(
    ctx: typer.Context,
    baseline: Baseline,
    candidate: Candidate,
    *,
    suite: SuiteOfPins = None,
    seeds: Seeds = 1,
    score: Score = None,
    param: Param = None,
    preprocessing: Preprocessing = None,
    fresh: Fresh = False,
    allow: Allow = None,
    by: By = "overall",
    output: Output = None,
    timeout: Timeout = None,
    as_json: AsJson = False,
) -> None:
    """Hold two pins against each other: what of a suite is not spoken and scored yet is, and printed is what differs.

    Ends with 0 whatever it finds; `ringtrue gate` judges.
    """
    check_files(output)
    asked = Asked(suite, seeds, score, param, preprocessing, fresh)
    with connect(ctx) as ringtrue:
        begun = begin(ringtrue, asked, baseline, candidate, allow or ())
        found = finish(ringtrue, begun, Deadline(timeout), begun.come_back("compare"))
        if output is not None:
            write(output, ringtrue.comparisons.report(found))
    if as_json:
        data_json(found.raw)
    else:
        tell_allowed(found)
        words(found.headline or "")
        _print(found.of(by))


@dataclass(frozen=True, slots=True)
class Begun:
    """A comparison that was asked for, and what it stands on; it goes on if nobody waits any more."""

    sides: tuple[Evaluation, ...]
    """Baseline, candidate."""
    comparison: Comparison

    def come_back(self, command: str) -> str:
        """How to come back to it, for `settled`."""
        ids = " ".join(side.id for side in self.sides)
        return f"what was asked for goes on by itself; `ringtrue {command} {ids}` takes it up again"


def begin(ringtrue: Ringtrue, asked: Asked, baseline: str, candidate: str, allow: Sequence[str]) -> Begun:
    """Ask for the comparison of two sides, each a pin or an evaluation's id; what is missing is spoken."""
    sides: list[Evaluation] = []
    try:
        for named in (baseline, candidate):
            sides.append(asked.side(ringtrue, named))
        comparison = ringtrue.comparisons.create(*sides, allow=allow)
    except RingtrueError:
        _give_up(ringtrue, (side for side in sides if side.id not in (baseline, candidate)))
        raise
    words(f"{comparison.id}: " + ", ".join(f"{side.id} ({side.pin.name})" for side in sides))
    return Begun(tuple(sides), comparison)


def _give_up(ringtrue: Ringtrue, asked_for: Iterable[Evaluation]) -> None:
    """Nobody will compare them: a mistyped second pin does not let the first one speak for an hour."""
    for one in asked_for:
        with suppress(RingtrueError):
            words(f"{ringtrue.evaluations.cancel(one).id} is given up")


def finish(ringtrue: Ringtrue, begun: Begun, deadline: Deadline, goes_on: str) -> Comparison:
    """The comparison with its result; see `settled`."""
    for side in begun.sides:
        evaluated(ringtrue, side, deadline, goes_on)
    return settled(ringtrue.comparisons, begun.comparison, deadline, goes_on)


def tell_allowed(comparison: Comparison) -> None:
    """Say what can move the result and was insisted on."""
    for one in comparison.allowed:
        words(f"allowed to differ: {one.what}: {one.baseline} / {one.candidate}")


def estimate(found: Range | None, form: str) -> str:
    """The estimate itself."""
    return "" if found is None else format(found.estimate, form)


def interval(found: Range | None) -> str:
    """The 95 % interval of an estimate."""
    return "" if found is None else f"[{found.low:+.3g}, {found.high:+.3g}]"


def _print(rows: Sequence[Row]) -> None:
    columns = ("METRIC", "SCOPE", "A → B", "DIFFERENCE", "95 % CI", "RELATIVE", "P", "P HOLM", "W/T/L", "N", "UNSCORED")
    data_table(columns, (_cells(row) for row in sorted(rows, key=_place(rows))))


def _place(rows: Iterable[Row]) -> Callable[[Row], tuple[bool, bool, int, int]]:
    """What judges speech first, its signal after what is heard in it, then costs, then what only describes, then what
    nothing was measured of; the rows of one metric together."""
    first = {metric: index for index, metric in enumerate(dict.fromkeys(row.metric for row in rows))}

    def place(row: Row) -> tuple[bool, bool, int, int]:
        aside = ("signal/", "cost/")
        kind = next((n for n, prefix in enumerate(aside, 1) if row.metric.startswith(prefix)), 0)
        return row.n == 0, row.direction == "neutral", kind, first[row.metric]

    return place


def _cells(row: Row) -> tuple[str, ...]:
    means = f"{figure(row.baseline_mean)} → {figure(row.candidate_mean)}" if row.difference else ""
    unscored = {"A": row.baseline_unscored, "B": row.candidate_unscored}
    return (
        row.metric,
        row.scope,
        means,
        estimate(row.difference, "+.3g"),
        interval(row.difference),
        estimate(row.relative, "+.1%"),
        figure(row.p, ".3g"),
        figure(row.p_corrected, ".3g"),
        f"{row.wins}/{row.ties}/{row.losses}" if row.wins is not None else "",
        str(row.n),
        "; ".join(f"{side}: {reasons(counts)}" for side, counts in unscored.items() if counts),
    )
