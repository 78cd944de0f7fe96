"""Paired scatter plot: every item of a metric, the baseline's value across, the candidate's up. Knows no page."""

from __future__ import annotations

from collections.abc import Sequence

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from services.scorer.analysis.comparison.result import MetricRow
from services.scorer.report.chart import BAND, CANDIDATE, FAINT, INK, Chart, axes_in, draw, short
from services.scorer.report.pairing import PairedItem, by_loss
from services.scorer.report.writing import writing
from shared.scores import Direction

_HEIGHT_PX = 340
_NAMED = 3
"""Number of items with the largest loss that are named."""


def scatter(row: MetricRow, items: Sequence[PairedItem]) -> Chart | None:
    """Return the plot of means over seeds, for the items that both sides have scored. None if there are none."""
    points = [(one, means) for one in by_loss(items, row) if (means := one.means(row.metric)) is not None]
    if not points:
        return None
    below, above = (sum(side * (c - b) > 0 for _, (b, c) in points) for side in (-1, 1))
    better = {Direction.HIGHER.value: "Above the line is better.", Direction.LOWER.value: "Below the line is better."}
    band = " The band is the noise of one item." if _band(row) else ""
    where = better.get(row.direction, "")
    caption = f"{row.metric} of every item, mean over seeds. {where}{band} n = {len(points)} items."
    said = f"{row.metric}: candidate higher in {above} of {len(points)} items, lower in {below}"
    name = f"scatter-{row.metric.replace('/', '-')}"
    return draw(name, _HEIGHT_PX, lambda figure: _paint(figure, row, points), caption=caption, says=said)


def _band(row: MetricRow) -> float:
    return row.floor.item_band if row.floor is not None and not row.floor.is_zero else 0.0


def _paint(figure: Figure, row: MetricRow, points: Sequence[tuple[PairedItem, tuple[float, float]]]) -> None:
    axes = axes_in(figure, 56, 30, 14, 44)
    factor = 100.0 if row.binary else 1.0
    values = [(baseline * factor, candidate * factor) for _, (baseline, candidate) in points]
    flat = [value for both in values for value in both]
    room = (max(flat) - min(flat)) * 0.08 or abs(flat[0]) * 0.1 or 1.0
    low, high = min(flat) - room, max(flat) + room
    band = _band(row) * factor
    if band:
        axes.fill_between([low, high], [low - band, high - band], [low + band, high + band], color=BAND, linewidth=0)
    axes.plot([low, high], [low, high], color=FAINT, linewidth=1)
    axes.plot(*zip(*values, strict=True), "o", color=CANDIDATE, alpha=0.65, markersize=6, markeredgewidth=0)
    axes.set_xlim(low, high)
    axes.set_ylim(low, high)
    for axis in (axes.xaxis, axes.yaxis):
        axis.set_major_locator(MaxNLocator(5))
    unit = f" ({written})" if (written := writing(row.unit, row.binary, ()).unit) else ""
    axes.set_xlabel(f"baseline{unit}")
    axes.set_ylabel(f"candidate{unit}")
    figure.text(1 / 360, 1 - 14 / _HEIGHT_PX, short(row.metric, 44), weight="bold", color=INK)
    _name_worst(axes, row, points, values)


def _name_worst(
    axes: Axes,
    row: MetricRow,
    points: Sequence[tuple[PairedItem, tuple[float, float]]],
    values: Sequence[tuple[float, float]],
) -> None:
    """Name the items that lost most, away from the line. A name that would overlap another is left out."""
    if row.direction == Direction.NEUTRAL:
        return
    side = -1 if row.direction == Direction.HIGHER else 1
    taken: list[tuple[float, float]] = []
    span = axes.get_ylim()[1] - axes.get_ylim()[0]
    for (one, _), (x, y) in list(zip(points, values, strict=True))[:_NAMED]:
        crowded = any(abs(y - other_y) < span * 0.06 and abs(x - other_x) < span * 0.4 for other_x, other_y in taken)
        if crowded or (y - x) * side <= 0:
            continue
        taken.append((x, y))
        # there is room to the right below the line and to the left above it, except at the edge
        right = x < sum(axes.get_xlim()) / 2 if side > 0 else x < axes.get_xlim()[1] - span * 0.3
        axes.annotate(
            short(one.item.id, 20), (x, y), (6 if right else -6, 5 * side), textcoords="offset points", va="center",
            ha="left" if right else "right", fontsize=9.5, color=INK,
        )  # fmt: skip
