"""`ringtrue compare`: compare two pins, or two evaluations."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal

import typer

from ringtrue import Comparison, Evaluation, Range, Ringtrue, RingtrueError, Row
from ringtrue.commands.connection import AsJson, LexiconFile, connect
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
    is_evaluation,
    reasons,
    settled,
    write,
)
from ringtrue.console.terminal import data_json, data_table, words

Baseline = Annotated[str, typer.Argument(metavar="A", help="The baseline: a pin or the id of an evaluation.")]
Candidate = Annotated[str, typer.Argument(metavar="B", help="The candidate: a pin or the id of an evaluation.")]
Output = Annotated[
    Path | None, typer.Option("--output", "-o", metavar="FILE", help="Write the report (HTML) to this file.")
]
By = Annotated[
    Literal["overall", "emotion", "language", "tag"],
    typer.Option("--by", help="Print one row for each emotion, language or tag."),
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
    lexicon: LexiconFile = None,
    fresh: Fresh = False,
    allow: Allow = None,
    by: By = "overall",
    output: Output = None,
    timeout: Timeout = None,
    as_json: AsJson = False,
) -> None:
    """Compare two pins on a suite and print what differs. Missing clips are synthesized and scored first.

    The exit code is 0 whatever it finds; `ringtrue gate` judges.
    """
    check_files({output: ".html"})
    asked = Asked(suite, seeds, score, param, preprocessing, lexicon, fresh)
    with connect(ctx) as ringtrue:
        begun = begin(ringtrue, asked, baseline, candidate, allow or ())
        found = finish(ringtrue, begun, Deadline(timeout), begun.come_back("compare"))
        _tell(found, by, as_json)
        if output is not None:
            write(output, ringtrue.comparisons.report(found))


def _tell(found: Comparison, by: By, as_json: bool) -> None:
    if as_json:
        data_json(found.raw)
    else:
        tell_allowed(found)
        words(found.headline or "")
        _print(found.of(by))


@dataclass(frozen=True, slots=True)
class Begun:
    """A requested comparison and its two evaluations. They go on even if nobody waits for them."""

    sides: tuple[Evaluation, ...]
    """Baseline, candidate."""
    comparison: Comparison

    def come_back(self, command: str) -> str:
        """Return how to come back to it, as a line for `settled`."""
        ids = " ".join(side.id for side in self.sides)
        return (
            f"the work continues on the server; to wait for it again, run `ringtrue {command} {ids}`;"
            " to stop it, run `ringtrue evaluations ID --cancel` for each of the two"
        )


def begin(ringtrue: Ringtrue, asked: Asked, baseline: str, candidate: str, allow: Sequence[str]) -> Begun:
    """Request the comparison of two sides, each a pin or an evaluation's id. Missing clips are synthesized."""
    named, sides = (baseline, candidate), dict[int, Evaluation]()
    for pin in named:
        if not is_evaluation(pin):
            asked.suite_for(pin)
    try:
        for place in _doubtful_first(ringtrue, named):
            sides[place] = asked.side(ringtrue, named[place])
        both = sides[0], sides[1]
        comparison = ringtrue.comparisons.create(*both, allow=allow)
    except RingtrueError:
        _give_up(ringtrue, (side for side in sides.values() if side.id not in named))
        raise
    words(f"{comparison.id}: " + ", ".join(f"{side.id} ({side.pin.name})" for side in both))
    return Begun(both, comparison)


def _doubtful_first(ringtrue: Ringtrue, named: tuple[str, str]) -> Sequence[int]:
    """Return the order of the two sides, such that a side that does not exist is found before the other is synthesized.

    Only the gateway knows whether a pin exists, so a pin that is in no list comes first.
    """
    if any(map(is_evaluation, named)):
        return sorted((0, 1), key=lambda place: not is_evaluation(named[place]))
    known = {name for pin in ringtrue.pins() for name in (pin.name, *pin.aliases)}
    return sorted((0, 1), key=lambda place: named[place] in known)


def _give_up(ringtrue: Ringtrue, asked_for: Iterable[Evaluation]) -> None:
    """Cancel evaluations that nobody will compare: a mistyped second pin must not let the first speak for an hour."""
    for one in asked_for:
        with suppress(RingtrueError):
            words(f"{ringtrue.evaluations.cancel(one).id} canceled")


def finish(ringtrue: Ringtrue, begun: Begun, deadline: Deadline, goes_on: str) -> Comparison:
    """Return the comparison with its result; see `settled`."""
    for side in begun.sides:
        evaluated(ringtrue, side, deadline, goes_on)
    return settled(ringtrue.comparisons, begun.comparison, deadline, goes_on)


def tell_allowed(comparison: Comparison) -> None:
    """Print the differences that can change the result and that the user allowed."""
    for one in comparison.allowed:
        words(f"allowed difference: {one.what}: {one.baseline} / {one.candidate}")


def estimate(found: Range | None, form: str) -> str:
    """Return the estimate as text."""
    return "" if found is None else format(found.estimate, form)


def interval(found: Range | None) -> str:
    """Return the 95 % interval of an estimate as text."""
    return "" if found is None else f"[{found.low:+.3g}, {found.high:+.3g}]"


def _print(rows: Sequence[Row]) -> None:
    columns = ("METRIC", "SCOPE", "A → B", "DIFFERENCE", "95 % CI", "RELATIVE", "P", "P HOLM", "W/T/L", "N", "UNSCORED")
    data_table(columns, (_cells(row) for row in sorted(rows, key=_place(rows))))


def _place(rows: Iterable[Row]) -> Callable[[Row], tuple[bool, bool, int, int]]:
    """Return the sort key of rows; the rows of one metric stay together.

    Metrics that judge what is heard come first, then those of the signal, then costs, then metrics that only describe,
    then rows without a measured value.
    """
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
