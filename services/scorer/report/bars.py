"""Bar chart of a metric by group: both pins side by side, with the difference of each group and its interval.

Groups are the emotions, languages or tags of a suite. Knows no page.
"""

from __future__ import annotations

from collections.abc import Sequence

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch
from matplotlib.ticker import MaxNLocator

from services.scorer.analysis.comparison.result import MetricRow
from services.scorer.report.chart import BASELINE, CANDIDATE, FAINT, INK, LEGEND, PAPER, Chart, axes_in, draw, short
from services.scorer.report.writing import BETTER_IS, writing

_GROUP_PX = 34
_TOP_PX, _BOTTOM_PX = 46, 34
_NAMES_PX, _GAPS_PX = 96, 104


def bars(kind: str, rows: Sequence[MetricRow]) -> Chart | None:
    """Return the chart of one metric's rows in the scopes of one ``kind`` (emotion, language, tag).

    None if nothing was measured.
    """
    measured = [row for row in rows if row.baseline_mean is not None and row.candidate_mean is not None]
    if not measured:
        return None
    first = measured[0]
    height = _TOP_PX + _BOTTOM_PX + _GROUP_PX * len(measured)
    direction = BETTER_IS[first.direction]
    caption = f"{first.metric} by {kind}: means ({direction}), and differences with 95 % intervals; n in items."
    written = writing(first.unit, first.binary, ())
    said = "; ".join(
        f"{_group(row)} {written.value(row.baseline_mean)} to {written.value(row.candidate_mean)}" for row in measured
    )
    name = f"{kind}-{first.metric.replace('/', '-')}"
    return draw(name, height, lambda figure: _paint(figure, measured), caption=caption, says=said)


def _group(row: MetricRow) -> str:
    return row.scope.partition("/")[2]


def _paint(figure: Figure, rows: Sequence[MetricRow]) -> None:
    means = axes_in(figure, _NAMES_PX, _TOP_PX, _GAPS_PX + 26, _BOTTOM_PX)
    gaps = axes_in(figure, 360 - _GAPS_PX, _TOP_PX, 8, _BOTTOM_PX)
    for axes in (means, gaps):
        axes.set_ylim(len(rows) - 0.45, -0.55)
        axes.spines["left"].set_visible(False)
        axes.tick_params(length=3, axis="x")
        axes.tick_params(length=0, axis="y")
        axes.xaxis.set_major_locator(MaxNLocator(3))
    _paint_means(means, rows)
    _paint_gaps(gaps, rows)
    title = short(rows[0].metric, 30)
    figure.text(1 / 360, 1 - 14 / (figure.get_figheight() * 72), title, weight="bold", color=INK)
    figure.legend(
        handles=[
            Patch(facecolor=PAPER, edgecolor=BASELINE, hatch="/////", label="baseline"),
            Patch(facecolor=CANDIDATE, edgecolor=CANDIDATE, label="candidate"),
            Line2D([], [], color=CANDIDATE, marker="o", markersize=5, linewidth=2, label="difference"),
        ],
        loc="upper left",
        bbox_to_anchor=(0.0, 1 - 17 / (figure.get_figheight() * 72)),
        handlelength=1.4,
        columnspacing=1.2,
        **LEGEND,
    )


def _paint_means(axes: Axes, rows: Sequence[MetricRow]) -> None:
    factor = 100.0 if rows[0].binary else 1.0
    written = writing(rows[0].unit, rows[0].binary, ())
    # a MOS begins at 1: a bar from 0 would hide a fifth of every difference
    base = 1.0 if rows[0].unit == "MOS" else 0.0
    for offset, side, ground, edge, hatch in (
        (-0.2, "baseline_mean", PAPER, BASELINE, "/////"),
        (0.2, "candidate_mean", CANDIDATE, CANDIDATE, ""),
    ):
        values = [getattr(row, side) * factor for row in rows]
        places = [place + offset for place in range(len(rows))]
        lengths = [value - base for value in values]
        axes.barh(
            places, lengths, height=0.36, left=base, linewidth=1, facecolor=ground, edgecolor=edge, hatch=hatch or None
        )
        for place, value in zip(places, values, strict=True):
            axes.annotate(
                written.value(value / factor), (value, place), (3, 0), textcoords="offset points", va="center",
                fontsize=9, color=FAINT,
            )  # fmt: skip
    names = [f"{short(_group(row), 11)}  n={row.n}" for row in rows]
    axes.set_yticks(range(len(rows)), labels=names)
    axes.tick_params(axis="y", labelcolor=INK)
    if rows[0].unit == "MOS":
        axes.set_xlim(1, 5)
        axes.set_xticks([1, 3, 5])
    elif rows[0].binary:
        axes.set_xlim(0, 100)
        axes.set_xticks([0, 50, 100])
    else:
        axes.set_xlim(right=axes.get_xlim()[1] * 1.05)
    axes.set_xlabel(written.unit or "mean", labelpad=1)


def _paint_gaps(axes: Axes, rows: Sequence[MetricRow]) -> None:
    factor = 100.0 if rows[0].binary else 1.0
    axes.set_yticks([])
    axes.patch.set_visible(False)
    axes.axvline(0, color=FAINT, linewidth=0.8)
    for place, row in enumerate(rows):
        if row.difference is not None:
            low, high = row.difference.low * factor, row.difference.high * factor
            axes.plot([low, high], [place, place], color=CANDIDATE, linewidth=2, solid_capstyle="butt")
            axes.plot([row.difference.estimate * factor], [place], "o", color=CANDIDATE, markersize=5)
    reach = max(abs(edge) for edge in axes.get_xlim())
    axes.set_xlim(-reach, reach)
    gap = writing(rows[0].unit, rows[0].binary, ()).gap
    axes.set_xlabel(f"Δ {gap}".rstrip(), labelpad=1)
