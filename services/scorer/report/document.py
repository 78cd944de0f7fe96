"""The report of a comparison: one HTML page that needs nothing else, and its charts as SVG files.

Owns what is in the page and in which order; the page itself is page.html, page.css and page.js. The same comparison
gives the same bytes. Needs matplotlib and WORLD, so it runs in a child process of the scorer.
"""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib.resources import files
from typing import Any

from jinja2 import Environment, FunctionLoader, StrictUndefined
from markupsafe import Markup

from services.scorer.analysis.comparison.evaluated import Evaluated
from services.scorer.analysis.comparison.result import ComparisonResult, GateResult, MetricRow
from services.scorer.report.breakdown import Breakdown, breakdowns
from services.scorer.report.cards import Cards, cards
from services.scorer.report.chart import Chart
from services.scorer.report.confusion import confusion, matrix
from services.scorer.report.contours import sheet
from services.scorer.report.focus import folded, grouped, in_order, leading, overall
from services.scorer.report.forest import forest
from services.scorer.report.pairing import paired
from services.scorer.report.provenance import environments, facts, scorers
from services.scorer.report.scatter import scatter
from services.scorer.report.sounds import MOST_BYTES, ListeningCopies, Sound
from services.scorer.report.table import TableRow, absences, line, rulings

_MOST_PITCHES = 60
"""Items in the file of contours. The page has the contours of all items that can be heard."""


@dataclass(frozen=True, slots=True)
class Report:
    """The files of a report. ``html``: the page. ``plots``: SVG, dark on white, by file name such as ``forest.svg``."""

    html: bytes
    plots: Mapping[str, bytes]


def report(
    comparison: ComparisonResult,
    baseline: Evaluated,
    candidate: Evaluated,
    sound: Sound,
    gate: GateResult | None = None,
    most_bytes: int = MOST_BYTES,
) -> Report:
    """Return the report of a comparison; if ``gate`` is given, with its verdict on top and its thresholds in the plot.

    ``sound`` is asked for a clip of each item and side, largest losses first, until the copies have ``most_bytes``.
    """
    rows = overall(comparison)
    led = leading(rows)
    items = paired(baseline, candidate)
    shown = cards(rows, led, items, ListeningCopies(sound, most_bytes))
    by_scope = breakdowns(comparison, led)
    matrices = _matrices(baseline, candidate)
    top = forest([row for row in in_order(rows) if not folded(row, gate)], gate)
    # yes-or-no values give few distinct points, which overlap
    scatters = [chart for row in led if not row.binary and (chart := scatter(row, items)) is not None]
    page = _page(
        comparison=comparison,
        gate=gate,
        rulings=rulings(gate) if gate else (),
        verdict=_verdict(comparison, gate),
        groups=_lines([row for row in rows if not folded(row, gate)], comparison),
        folded_groups=_lines([row for row in rows if folded(row, gate)], comparison),
        forest=top,
        breakdowns=by_scope,
        matrices=matrices,
        scatters=scatters,
        cards=shown,
        facts=facts(comparison, baseline, candidate),
        scorers=scorers(comparison),
        environments=environments((("baseline", baseline), ("candidate", candidate))),
        absences=absences(rows),
    )
    charts = [*([top] if top else []), *matrices, *scatters, *_charts(by_scope), *_pitches(shown)]
    return Report(page, {f"{chart.name}.svg": chart.svg.encode() for chart in charts})


def _lines(rows: Sequence[MetricRow], comparison: ComparisonResult) -> Mapping[str, Sequence[TableRow]]:
    return {title: [line(row, comparison.confidence) for row in those] for title, those in grouped(rows).items()}


def _verdict(comparison: ComparisonResult, gate: GateResult | None) -> str:
    """Return the one sentence on top."""
    return gate.headline.removeprefix(f"{gate.verdict}: ") if gate else comparison.headline


def _matrices(baseline: Evaluated, candidate: Evaluated) -> list[Chart]:
    sides = (("baseline", baseline), ("candidate", candidate))
    drawn = [matrix(side, evaluated.pin, confusion(evaluated)) for side, evaluated in sides]
    return [chart for chart in drawn if chart is not None]


def _charts(by_scope: Sequence[Breakdown]) -> list[Chart]:
    return [chart for one in by_scope for chart in one.charts]


def _pitches(shown: Cards) -> list[Chart]:
    overlays = [card.heard.overlay for card in shown.cards if card.heard.overlay is not None]
    return [sheet(overlays[:_MOST_PITCHES], shown.frame)] if overlays else []


def _page(**told: Any) -> bytes:
    environment = Environment(
        loader=FunctionLoader(_part), autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    script = _part("page.js")
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    page = environment.get_template("page.html").render(
        **told,
        style=Markup(_part("page.css")),  # noqa: S704 - ours
        script=Markup(script),  # noqa: S704 - ours
        script_sha256=digest,
        breakable=_breakable,
        drawn=lambda chart: Markup(chart.inline()),  # noqa: S704 - matplotlib escapes what it writes
    )
    return page.encode()


def _breakable(name: str) -> Markup:
    """Return a metric's name that may be broken where its words end."""
    return Markup("<wbr>").join(re.split(r"(?<=[/_])", name))


def _part(name: str) -> str:
    return (files("services.scorer.report") / name).read_text(encoding="utf-8")
