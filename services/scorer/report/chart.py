"""A chart as SVG: the one door of the report to matplotlib, the style of all charts, and the two forms of each.

A chart is 360 px wide, so that its letters have their size on a phone too. Alone in a file it is dark on white; inside
the page its colours are those of the page, light or dark. Words stay words, set in whatever face the reader has.
Knows no comparison.
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
"""Orange and blue: apart for every kind of colour vision, and one is always hollow, hatched or dashed besides."""

ROLES: Mapping[str, str] = {
    PAPER: "paper",
    INK: "ink",
    FAINT: "faint",
    RULE: "rule",
    BAND: "band",
    BASELINE: "baseline",
    CANDIDATE: "candidate",
}
"""Colour -> name of the page's variable."""

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
    """``name``: of its file, without ending. ``caption`` stands under it; ``says`` is what it says, for who cannot see
    it. ``svg``: a file of its own."""

    name: str
    caption: str
    says: str
    svg: str

    def inline(self) -> str:
        """The element for the page: its colours are variables, its ids do not meet those of another chart."""
        element = self.svg[self.svg.index("<svg") :]
        element = re.sub(r"<style.*?</style>", "", element, flags=re.DOTALL)
        element = _PAINT_ATTRIBUTE.sub(r'style="\1: \2"', element)
        for colour, role in ROLES.items():
            element = element.replace(colour, f"var(--{role})")
        return element


def draw(name: str, height_px: float, paint: Callable[[Figure], None], *, caption: str, says: str) -> Chart:
    """A chart of `WIDTH_PX` x ``height_px`` as ``paint`` fills it; the same ink, the same bytes."""
    out = io.StringIO()
    with rc_context(_STYLE), warnings.catch_warnings():
        # its face lacks many scripts, but only measures: what sets the words is the reader's
        warnings.filterwarnings("ignore", message="Glyph .* missing")
        figure = Figure(figsize=(WIDTH_PX / 72, height_px / 72), dpi=72)
        paint(figure)
        figure.savefig(out, format="svg", metadata=_NOTHING)
    return Chart(name, caption, says, _tidy(out.getvalue(), name, height_px))


def axes_in(figure: Figure, left: float, top: float, right: float, bottom: float) -> Axes:
    """Axes that leave these margins, in px."""
    width, height = figure.get_size_inches() * 72
    return figure.add_axes(
        (left / width, bottom / height, (width - left - right) / width, (height - top - bottom) / height)
    )


def short(name: str, most: int = 24) -> str:
    """A name that has to fit: its middle gives way."""
    if len(name) <= most:
        return name
    kept = most - 1
    return f"{name[: kept - kept // 2]}…{name[len(name) - kept // 2 :]}"


def _tidy(svg: str, name: str, height_px: float) -> str:
    """Without what is the same in every chart, ids only where they are used and after the chart's name."""
    used = set(_USED.findall(svg))
    svg = _ID.sub(lambda found: f' id="{name}-{found[1]}"' if found[1] in used else "", svg)
    svg = _USED.sub(lambda found: found[0].replace("#", f"#{name}-", 1), svg)
    svg = _DOCTYPE.sub("", _NO_TURN.sub("", _FACE.sub(f"font-family: {FACES}", svg)))
    size = f'width="{WIDTH_PX}{{0}}" height="{height_px:g}{{0}}"'
    return svg.replace(size.format("pt"), size.format(""), 1)
