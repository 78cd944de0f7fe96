"""Draws a chart as SVG. The only module of the report that imports matplotlib; owns the style and the two forms of
charts.

A chart is 360 px wide, so that its text has the right size on a phone too. Alone in a file it is dark on white; inside
the page its colours are those of the page, light or dark. Text stays text, in the reader's own font. Knows no
comparison.
"""

from __future__ import annotations

import io
import re
import warnings
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from matplotlib import rc_context
from matplotlib.axes import Axes
from matplotlib.figure import Figure

WIDTH_PX = 360

PAPER, INK, FAINT, RULE, BAND = "#fefefe", "#1a1f26", "#56606c", "#c9d0d8", "#e3e8ee"
BASELINE, CANDIDATE = "#b45309", "#0b63a8"
"""Orange and blue are distinct for every kind of colour vision; also, one is always hollow, hatched or dashed."""

ROLES: Mapping[str, str] = {
    PAPER: "paper",
    INK: "ink",
    FAINT: "faint",
    RULE: "rule",
    BAND: "band",
    BASELINE: "baseline",
    CANDIDATE: "candidate",
}
"""The page's variable for each colour."""

LEGEND: Mapping[str, Any] = {"ncols": 3, "frameon": False, "fontsize": 9.5, "labelcolor": FAINT}
"""The style of every legend, across the chart."""

FACES = "system-ui, -apple-system, 'Segoe UI', Roboto, 'Helvetica Neue', 'Noto Sans', 'Noto Sans CJK SC', sans-serif"

_STYLE: Any = {
    "svg.fonttype": "none",
    "svg.hashsalt": "ringtrue",
    "text.parse_math": False,
    "font.size": 10.5,
    "text.color": INK,
    "axes.edgecolor": RULE,
    "axes.labelcolor": FAINT,
    "axes.labelsize": 10.5,
    "axes.facecolor": PAPER,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.unicode_minus": True,
    "figure.facecolor": PAPER,
    "grid.color": RULE,
    "hatch.linewidth": 0.9,
    "xtick.color": RULE,
    "xtick.labelcolor": FAINT,
    "ytick.color": RULE,
    "ytick.labelcolor": FAINT,
    "xtick.labelsize": 10,
    "ytick.labelsize": 10,
}
_NOTHING = dict.fromkeys(("Date", "Creator", "Format", "Type"))
_FACE = re.compile(r"font-family: [^;\"]*")
_DOCTYPE = re.compile(r"<!DOCTYPE.*?>\s*", re.DOTALL)
_NO_TURN = re.compile(r' transform="rotate\(-0 [^)]*\)"')
_ID = re.compile(r' id="([^"]*)"')
_USED = re.compile(r'(?:url\(|href=")#([^)"]*)')
_PAINT_ATTRIBUTE = re.compile(r'\b(fill|stroke)="(#[0-9a-f]{6})"')


@dataclass(frozen=True, slots=True)
class Chart:
    """A chart.

    ``name``: of its file, without extension. ``caption`` is shown under it; ``says`` describes it for people who cannot
    see it. ``svg``: the content of its file.
    """

    name: str
    caption: str
    says: str
    svg: str

    def inline(self) -> str:
        """Return the element for the page. Its colours are variables, and its ids do not clash with those of other
        charts."""
        element = self.svg[self.svg.index("<svg") :]
        element = re.sub(r"<style.*?</style>", "", element, flags=re.DOTALL)
        element = _PAINT_ATTRIBUTE.sub(r'style="\1: \2"', element)
        for colour, role in ROLES.items():
            element = element.replace(colour, f"var(--{role})")
        return element


def draw(name: str, height_px: float, paint: Callable[[Figure], None], *, caption: str, says: str) -> Chart:
    """Return a chart of `WIDTH_PX` x ``height_px`` that ``paint`` fills. The same drawing gives the same bytes."""
    out = io.StringIO()
    with rc_context(_STYLE), warnings.catch_warnings():
        # matplotlib's font lacks many scripts, but is used for measuring only: the reader's font shows the text
        warnings.filterwarnings("ignore", message="Glyph .* missing")
        figure = Figure(figsize=(WIDTH_PX / 72, height_px / 72), dpi=72)
        paint(figure)
        figure.savefig(out, format="svg", metadata=_NOTHING)
    return Chart(name, caption, says, _tidy(out.getvalue(), name, height_px))


def axes_in(figure: Figure, left: float, top: float, right: float, bottom: float) -> Axes:
    """Return axes that leave these margins, in px."""
    width, height = figure.get_size_inches() * 72
    return figure.add_axes(
        (left / width, bottom / height, (width - left - right) / width, (height - top - bottom) / height)
    )


def short(name: str, most: int = 24) -> str:
    """Shorten a name from its middle to ``most`` characters."""
    if len(name) <= most:
        return name
    kept = most - 1
    return f"{name[: kept - kept // 2]}…{name[len(name) - kept // 2 :]}"


def _tidy(svg: str, name: str, height_px: float) -> str:
    """Remove what is the same in every chart. Keep ids only where they are used, prefixed with the chart's name."""
    used = set(_USED.findall(svg))
    svg = _ID.sub(lambda found: f' id="{name}-{found[1]}"' if found[1] in used else "", svg)
    svg = _USED.sub(lambda found: found[0].replace("#", f"#{name}-", 1), svg)
    svg = _DOCTYPE.sub("", _NO_TURN.sub("", _FACE.sub(f"font-family: {FACES}", svg)))
    size = f'width="{WIDTH_PX}{{0}}" height="{height_px:g}{{0}}"'
    return svg.replace(size.format("pt"), size.format(""), 1)
