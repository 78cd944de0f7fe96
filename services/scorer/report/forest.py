"""Forest plot: the difference of every judging metric with its interval; better is to the right, worse to the left.

Metrics have different units, so each line has a scale of its own, whose ends are written under it. Knows no page.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch, Rectangle

from services.scorer.analysis.comparison.figures import turned
from services.scorer.analysis.comparison.result import OVERALL, Estimate, GateResult, MetricRow
from services.scorer.report.chart import (
    BAND,
    CANDIDATE,
    FAINT,
    INK,
    LEGEND,
    RULE,
    WIDTH_PX,
    Chart,
    axes_in,
    draw,
    short,
)
from services.scorer.report.writing import Writing, writing
from shared.scores import Direction

_LINE_PX = 58
_TOP_PX, _BOTTOM_PX, _SIDE_PX = 22, 40, 2
_HALF = (WIDTH_PX - 2 * _SIDE_PX) / 2
_ROOM = 1.15
"""Length of a scale, as a multiple of the farthest point on it."""


@dataclass(frozen=True, slots=True)
class ForestRow:
    """One metric as a gain: positive is better. ``thresholds``: of a gate's rules."""

    row: MetricRow
    gain: Estimate
    thresholds: tuple[float, ...]

    @property
    def reach(self) -> float:
        """Half the length of the scale."""
        floor = self.row.floor.run_to_run if self.row.floor else 0.0
        return _ROOM * max(abs(self.gain.low), abs(self.gain.high), floor, *map(abs, self.thresholds)) or 1.0

    @property
    def writing(self) -> Writing:
        return writing(self.row.unit, self.row.binary, (self.gain.high - self.gain.low, self.reach))


def forest(rows: Sequence[MetricRow], gate: GateResult | None) -> Chart | None:
    """Return the plot of the rows that have a difference. None if there are none."""
    lines = [_line(row, row.difference, gate) for row in rows if row.difference is not None]
    if not lines:
        return None
    height = _TOP_PX + _BOTTOM_PX + _LINE_PX * len(lines)
    margins = ", thresholds of the gate dashed" if any(line.thresholds for line in lines) else ""
    n = sorted({line.row.n for line in lines})
    items = f"n = {n[0]}" if len(n) == 1 else f"n = {n[0]} to {n[-1]}"
    caption = (
        "Differences between candidate and baseline with 95 % intervals. Right of the middle is better, whatever the "
        f"metric; each line has its own scale; bands are noise floors (run to run){margins}. {items} items."
    )
    said = "; ".join(f"{line.row.metric} {_numbers(line)}" for line in lines)
    return draw("forest", height, lambda figure: _paint(figure, lines, height), caption=caption, says=said)


def _line(row: MetricRow, difference: Estimate, gate: GateResult | None) -> ForestRow:
    gain = turned(difference) if row.direction == Direction.LOWER else difference
    thresholds = {
        judged.threshold
        for judged in (gate.judged if gate else ())
        if (judged.metric, judged.scope) == (row.metric, OVERALL) and judged.threshold is not None
    }
    return ForestRow(row, gain, tuple(sorted(thresholds)))


def _numbers(line: ForestRow) -> str:
    difference = line.row.difference
    assert difference is not None
    return f"{line.writing.signed(difference.estimate)} {line.writing.interval(difference)} {line.writing.gap}".rstrip()


def _paint(figure: Figure, lines: Sequence[ForestRow], height: float) -> None:
    axes = axes_in(figure, _SIDE_PX, 0, _SIDE_PX, 0)
    axes.set_axis_off()
    axes.set_xlim(-_HALF, _HALF)
    axes.set_ylim(height, 0)
    axes.text(-_HALF, 12, "← worse", color=FAINT)
    axes.text(_HALF, 12, "better →", color=FAINT, ha="right")
    for place, line in enumerate(lines):
        _paint_line(axes, line, _TOP_PX + place * _LINE_PX)
    _legend(figure, any(line.thresholds for line in lines))


def _paint_line(axes: Axes, line: ForestRow, top: float) -> None:
    middle, scale = top + 33, _HALF / line.reach
    if line.row.floor is not None and not line.row.floor.is_zero:
        half = line.row.floor.run_to_run * scale
        axes.add_patch(Rectangle((-half, middle - 8), 2 * half, 16, facecolor=BAND, edgecolor="none"))
    axes.plot([-_HALF, _HALF], [middle, middle], color=RULE, linewidth=0.8)
    axes.plot([0, 0], [middle - 8, middle + 8], color=FAINT, linewidth=1)
    for threshold in line.thresholds:
        at = threshold * scale
        axes.plot([at, at], [middle - 9, middle + 9], color=INK, linewidth=1.3, linestyle=(0, (3, 2)))
    axes.plot([line.gain.low * scale, line.gain.high * scale], [middle, middle], color=CANDIDATE, linewidth=2.4)
    axes.plot([line.gain.estimate * scale], [middle], "o", color=CANDIDATE, markersize=6.5)
    axes.text(-_HALF, top + 16, short(line.row.metric, 28), color=INK)
    axes.text(_HALF, top + 16, _numbers(line), color=INK, ha="right")
    end = f"{line.writing.value(line.reach)} {line.writing.gap}".rstrip()
    # these are ends of the difference, like the figures: if lower is better, the left end is a rise
    left, right = (f"+{end}", f"−{end}") if line.row.direction == Direction.LOWER else (f"−{end}", f"+{end}")
    axes.text(-_HALF, middle + 17, left, color=FAINT, fontsize=9)
    axes.text(_HALF, middle + 17, right, color=FAINT, fontsize=9, ha="right")


def _legend(figure: Figure, with_thresholds: bool) -> None:
    entries: list[Line2D | Patch] = [
        Line2D([], [], color=CANDIDATE, marker="o", markersize=6, linewidth=2.2, label="difference, 95 % interval"),
        Patch(facecolor=BAND, label="noise floor"),
    ]
    if with_thresholds:
        entries.append(Line2D([], [], color=INK, linestyle=(0, (3, 2)), linewidth=1.3, label="gate"))
    figure.legend(
        handles=entries,
        loc="lower left",
        bbox_to_anchor=(0.0, 0.0),
        handlelength=1.6,
        columnspacing=1.0,
        **LEGEND,
    )
