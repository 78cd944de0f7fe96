"""Confusion matrices: the emotion asked for and the emotion that a classifier heard, as mean probabilities.

Probabilities are averaged over the seeds of an item, then over the items of a target. Nothing is renormalised: what the
classifier gives to none of the seven is the column ``other``, and a class that it lacks is marked. Knows no page.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from services.scorer.analysis.comparison.evaluated import Evaluated
from services.scorer.report.chart import BASELINE, CANDIDATE, FAINT, INK, RULE, Chart, axes_in, draw
from services.scorer.report.focus import PROBABILITY
from shared.controls import CANONICAL_EMOTIONS
from shared.scores import Score

CLASSES = (*CANONICAL_EMOTIONS, "other")
_CELL_PX = 30
_LEFT_PX, _TOP_PX, _BOTTOM_PX = 100, 92, 10
_DARKEST = 0.5
"""Opacity of a cell of 100 %: its figure stays legible in light and dark."""


@dataclass(frozen=True, slots=True)
class Confusion:
    """Mean probabilities.

    ``shares``: by target, then by class. A class that the classifier lacks is absent.
    """

    shares: Mapping[str, Mapping[str, float]]
    items: Mapping[str, int]
    """For each target, the number of items averaged."""


def confusion(evaluated: Evaluated) -> Confusion:
    """Return the matrix of the items that ask for a canonical emotion and whose classes were scored."""
    heard: dict[str, dict[str, list[dict[str, float]]]] = {}
    items = evaluated.items
    for clip in evaluated.clips:
        item = items.get(clip.item)
        found = {name: clip.scores.get(f"{PROBABILITY}{name}") for name in CLASSES}
        classes = {name: score.value for name, score in found.items() if isinstance(score, Score)}
        if item is not None and item.emotion in CANONICAL_EMOTIONS and classes:
            heard.setdefault(item.emotion, {}).setdefault(item.id, []).append(classes)
    targets = [name for name in CANONICAL_EMOTIONS if name in heard]
    return Confusion(
        {target: _mean([_mean(seeds) for seeds in heard[target].values()]) for target in targets},
        {target: len(heard[target]) for target in targets},
    )


def _mean(readings: list[dict[str, float]]) -> dict[str, float]:
    """Return the mean of each class over the readings that have it."""
    return {
        name: float(np.mean([reading[name] for reading in readings if name in reading]))
        for name in CLASSES
        if any(name in reading for reading in readings)
    }


def matrix(side: str, pin: str, found: Confusion) -> Chart | None:
    """Return the chart of one side. ``side``: baseline or candidate. None if no emotion was classified."""
    if not found.shares:
        return None
    height = _TOP_PX + _BOTTOM_PX + _CELL_PX * len(found.shares)
    said = "; ".join(f"{target}: {_ranked(shares)}" for target, shares in found.shares.items())
    caption = f"What a classifier hears in the {side}: mean probability in % by emotion asked for; n in items."
    return draw(
        f"confusion-{side}", height, lambda figure: _paint(figure, side, pin, found), caption=caption, says=said
    )


def _ranked(shares: Mapping[str, float]) -> str:
    """Return the three classes with the highest share."""
    first = sorted(shares.items(), key=lambda pair: (-pair[1], pair[0]))[:3]
    return ", ".join(f"{name} {share * 100:.0f} %" for name, share in first)


def _paint(figure: Figure, side: str, pin: str, found: Confusion) -> None:
    axes = axes_in(figure, _LEFT_PX, _TOP_PX, 8, _BOTTOM_PX)
    axes.set_xlim(0, len(CLASSES))
    axes.set_ylim(len(found.shares), 0)
    for spine in axes.spines.values():
        spine.set_visible(False)
    for row, shares in enumerate(found.shares.values()):
        target = list(found.shares)[row]
        for column, name in enumerate(CLASSES):
            _cell(axes, row, column, shares.get(name), CANDIDATE if side == "candidate" else BASELINE, name == target)
    axes.set_yticks(
        [place + 0.5 for place in range(len(found.shares))],
        labels=[f"{target}  n={found.items[target]}" for target in found.shares],
    )
    axes.xaxis.tick_top()
    axes.set_xticks([place + 0.5 for place in range(len(CLASSES))], labels=CLASSES, rotation=45, ha="left")
    axes.tick_params(length=0, labelcolor=INK, pad=3)
    top = figure.get_figheight() * 72
    figure.text(1 / 360, 1 - 14 / top, f"{side}: {pin}"[:48], weight="bold", color=INK)
    figure.text(1 / 360, 1 - (_TOP_PX - 6) / top, "asked ↓  heard →", color=FAINT, fontsize=9.5)


def _cell(axes: Axes, row: int, column: int, share: float | None, colour: str, wanted: bool) -> None:
    """Draw one figure on a ground that is the darker the higher it is.

    The emotion asked for is framed. A missing class is a dash.
    """
    if share is not None:
        alpha = round(share * _DARKEST, 3)
        axes.add_patch(
            Rectangle((column + 0.03, row + 0.03), 0.94, 0.94, facecolor=colour, alpha=alpha, edgecolor="none")
        )
    frame, width = (INK, 1.2) if wanted else (RULE, 0.6)
    axes.add_patch(
        Rectangle((column + 0.03, row + 0.03), 0.94, 0.94, facecolor="none", edgecolor=frame, linewidth=width)
    )
    written = "–" if share is None else f"{share * 100:.0f}"
    weight = "bold" if wanted else "normal"
    axes.text(column + 0.5, row + 0.54, written, ha="center", va="center", color=INK, weight=weight, fontsize=10)
