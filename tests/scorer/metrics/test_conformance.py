"""What every metric family keeps, whatever it measures. A new family is held to it by its row in the table."""

from __future__ import annotations

import hashlib
import math

import pytest

from services.scorer.metrics.base import MeasuredClip
from services.scorer.metrics.instruments import Instruments
from services.scorer.metrics.panel import MetricUnavailable, Panel, build
from services.scorer.metrics.table import FAMILIES
from shared.catalog import canonical_json, lock_sha256
from shared.scores import Reason, Score, Unscored, scored_from_json
from tests.scorer.metrics.clips import KNOWN
from tests.scorer.metrics.conftest import Measure

pytestmark = pytest.mark.parametrize("family", FAMILIES)

COSTS = {"queue_s": 0.1, "speak_s": 0.4, "rtf": 0.1, "peak_rss_mb": 300.0, "peak_vram_mb": 900.0}


def _clip(text: str | None = KNOWN["en_plain"].text) -> MeasuredClip:
    reference = KNOWN["en_fast"].audio
    return MeasuredClip.of(
        KNOWN["en_plain"].audio, text=text, language="en", reference=reference, emotion="happy", cost=COSTS
    )


def test_every_name_has_a_value_within_its_range_and_with_its_unit(family: str, measure: Measure) -> None:
    scores = measure(family, _clip())
    info = FAMILIES[family].info
    assert tuple(scores) == info.names
    for quantity in info.quantities:
        scored = scores[quantity.name]
        assert isinstance(scored, Score), scored
        assert scored.unit == quantity.unit
        assert math.isfinite(scored.value)
        assert quantity.low is None or scored.value >= quantity.low
        assert quantity.high is None or scored.value <= quantity.high


def test_the_same_clip_gives_the_same_values_twice(family: str, measure: Measure) -> None:
    assert measure(family, _clip()) == measure(family, _clip())


def test_the_clip_is_left_as_it_was(family: str, measure: Measure) -> None:
    clip = _clip()
    before = hashlib.sha256(clip.samples.tobytes()).digest()
    measure(family, clip)
    assert hashlib.sha256(clip.samples.tobytes()).digest() == before
    assert not clip.samples.flags.writeable


def test_without_text_it_is_unscored_where_text_is_needed(family: str, measure: Measure) -> None:
    reasons = {s.reason for s in measure(family, _clip(text=" ")).values() if isinstance(s, Unscored)}
    if FAMILIES[family].info.needs_text:
        assert reasons == {Reason.NEEDS_TEXT}


def test_without_a_reference_it_is_unscored_where_one_is_needed(family: str, measure: Measure) -> None:
    alone = MeasuredClip.of(KNOWN["en_plain"].audio, text="Please.", language="en", emotion="happy", cost=COSTS)
    reasons = {s.reason for s in measure(family, alone).values() if isinstance(s, Unscored)}
    assert reasons == ({Reason.NEEDS_REFERENCE} if FAMILIES[family].info.needs_reference else set())


def test_its_scores_survive_the_pipe(family: str, measure: Measure) -> None:
    for scored in measure(family, _clip()).values():
        assert scored_from_json(scored.to_json()) == scored


def test_its_lock_is_known_before_it_is_loaded_and_stays_the_same(
    family: str, panel: Panel, instruments: Instruments
) -> None:
    before = canonical_json(build(FAMILIES[family], instruments).lock())
    try:
        after = panel.load(family)
    except MetricUnavailable as unavailable:
        pytest.skip(str(unavailable))
    assert canonical_json(after) == before


def test_its_scores_carry_the_hash_of_its_lock(family: str, panel: Panel, measure: Measure) -> None:
    scores = measure(family, _clip())
    expected = lock_sha256(panel.load(family))
    assert {s.scorer_lock for s in scores.values() if isinstance(s, Score)} == {expected}


def test_its_facts_are_all_written_down(family: str) -> None:
    info = FAMILIES[family].info
    assert info.family == family
    assert all((info.title, info.licence, info.source, info.quantities))
