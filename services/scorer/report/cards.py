"""The items of the report: what is said of each, what can be heard, and its place in each order.

Owns the orders that a reader can choose: by the loss in any metric that judges. Knows no markup but a contour's.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from markupsafe import Markup

from services.scorer.analysis.comparison.evaluated import SpokenClip
from services.scorer.analysis.comparison.quantities import covered
from services.scorer.analysis.comparison.result import MetricRow
from services.scorer.report.contours import ContourFrame
from services.scorer.report.focus import in_order, judging
from services.scorer.report.pairing import PairedItem, by_loss
from services.scorer.report.sounds import ListeningCopies, PairedListening
from services.scorer.report.table import Reading, reading
from shared.scores import Score


@dataclass(frozen=True, slots=True)
class ItemCard:
    """One item.

    ``by``: for each metric, the place by loss and the item's result in words; the place is None if the item cannot be
    judged. ``lead``: the few readings on top.
    """

    one: PairedItem
    heard: PairedListening
    by: Mapping[str, tuple[int | None, str]]
    lead: tuple[Reading, ...]
    readings: tuple[Reading, ...]
    pitch: str

    @property
    def about(self) -> str:
        """Emotion with its strength, language, voice and tags, as far as the item names them."""
        item = self.one.item
        emotion = item.emotion and f"{item.emotion} {item.strength:g}" if item.strength is not None else item.emotion
        return " · ".join(part for part in (emotion, item.language, item.voice, *item.tags) if part)

    @property
    def pronounced(self) -> tuple[tuple[str, str], ...]:
        """Side and verdict for each clip that can be heard and whose pronunciation was judged: right, wrong or unknown,
        with the reading that each recogniser found likeliest, and by how many nats."""
        pair = self.one.heard
        sides = () if pair is None else (("baseline", pair.baseline), ("candidate", pair.candidate))
        return tuple((side, said) for side, clip in sides if clip is not None and (said := _pronounced(clip)))


@dataclass(frozen=True, slots=True)
class Cards:
    """All items, those with the largest loss in ``metrics[0]`` first. ``frame``: the axes of every contour."""

    cards: tuple[ItemCard, ...]
    metrics: tuple[str, ...]
    frame: ContourFrame

    @property
    def audible(self) -> int:
        """Number of items with a listening copy."""
        return sum(bool(card.heard.baseline.uri or card.heard.candidate.uri) for card in self.cards)


def cards(
    rows: Sequence[MetricRow], led: Sequence[MetricRow], items: Sequence[PairedItem], copies: ListeningCopies
) -> Cards:
    """Return the cards of all items.

    ``rows``: overall. ``led``: the leading ones, the primary one first. Coverage is left out: a clip has a score or a
    reason, and an item that is not scored comes first in the order of the metric itself.
    """
    rows, led = ([row for row in some if covered(row.metric) is None] for some in (rows, led))
    leading = [row.metric for row in led]
    others = [row for row in judging(rows) if row.difference is not None and row.metric not in leading]
    sortable = (*led, *others)
    orders = {row.metric: by_loss(items, row) for row in sortable}
    first = orders[sortable[0].metric] if sortable else tuple(items)
    heard = copies.hear(first)
    overlays = [found.overlay for found in heard.values() if found.overlay is not None]
    sides = [side for overlay in overlays for side in (overlay.baseline, overlay.candidate)]
    frame = ContourFrame.around([side for side in sides if side is not None])
    places = {metric: {one.item.id: place for place, one in enumerate(order)} for metric, order in orders.items()}
    by_name = {row.metric: row for row in (*led, *in_order(rows))}
    return Cards(
        tuple(_card(one, heard[one.item.id], list(by_name.values()), places, frame) for one in first),
        tuple(row.metric for row in sortable),
        frame,
    )


def _card(
    one: PairedItem,
    heard: PairedListening,
    rows: Sequence[MetricRow],
    places: Mapping[str, Mapping[str, int]],
    frame: ContourFrame,
) -> ItemCard:
    readings = [found for row in rows if one.pairs and (found := reading(row, one)) is not None]
    said = {found.metric: _in_words(found, one) for found in readings}
    by = {
        metric: (order[one.item.id] if one.can_be_judged(metric) else None, said.get(metric, "not scored"))
        for metric, order in places.items()
    }
    pitch = heard.overlay.inline(frame) if heard.overlay else ""
    leading = [found for found in readings if found.metric in places][:4]
    return ItemCard(one, heard, by, tuple(leading), tuple(readings), Markup(pitch))  # noqa: S704 - escapes what it is given


def _pronounced(clip: SpokenClip) -> str:
    """Return the verdict on a clip's pronunciation, or nothing if there is none."""
    for name, score in clip.scores.items():
        if isinstance(score, Score) and score.readings:
            heard = ", ".join(f"{one.reading} ({one.recogniser}, by {one.margin:.1f})" for one in score.readings)
            return f"{name.partition('/')[2]}: {heard}"
    return ""


def _in_words(found: Reading, one: PairedItem) -> str:
    both = f"{found.baseline} → {found.candidate}"
    return f"{both} {found.unit} ({found.difference})".replace("  ", " ") if one.means(found.metric) else both
