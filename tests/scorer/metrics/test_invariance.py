"""How far a value moves although the speech is the same: another sample rate, silence at the end.

The table is the statement; what was measured lies just below each bound. A value may not move further without this
table being changed, and a comparison has to allow for what stands here. Worst of the five spoken clips; three of them
are measured again on every run.

DNSMOS and NISQA are as jumpy as their authors left them. NISQA takes its frames at whole samples, so 22,050 Hz (the
clips' own rate) differs from every rate that is a multiple of 100; DNSMOS repeats a short clip, so silence at its end
becomes silence in its midst and looks like a clean background. The recogniser hears one word of the fast clip
differently, and the similarity of meaning hangs on it; over more clips see
``python -m benchmarks.evidence.recognition``.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import pytest

from services.scorer.metrics.base import MeasuredClip
from shared.scores import Score
from tests.defects import with_silence_after
from tests.scorer.metrics.clips import KNOWN, Known, resampled
from tests.scorer.metrics.measure import Measure


@dataclass(frozen=True)
class Bound:
    """Largest change: at 16 kHz (the upper half of the spectrum is gone), at higher rates, with silence after."""

    at_16k: float
    other_rates: float
    silence: float


BOUNDS: dict[str, Bound] = {
    "signal/duration_s": Bound(0.001, 0.001, 1.0),
    "signal/loudness_lufs": Bound(0.1, 0.02, 0.2),
    "signal/peak_dbfs": Bound(0.3, 0.1, 0.0),
    "signal/clipping_ratio": Bound(0.0, 0.0, 0.0),
    "signal/dc_offset": Bound(0.001, 0.001, 0.005),
    "signal/speech_ratio": Bound(0.02, 0.02, 0.7),
    "signal/longest_pause_s": Bound(0.05, 0.05, 0.05),
    "prosody/f0_median_hz": Bound(0.1, 0.1, 0.1),
    "prosody/f0_range_st": Bound(0.1, 0.1, 0.1),
    "prosody/energy_db": Bound(0.1, 0.1, 0.1),
    "prosody/rate_per_s": Bound(0.1, 0.1, 0.1),
    "mos/nisqa_tts": Bound(0.25, 0.25, 0.3),
    "mos/nisqa": Bound(0.3, 0.15, 0.75),
    "mos/dnsmos_ovrl": Bound(0.15, 0.05, 0.5),
    "mos/dnsmos_sig": Bound(0.3, 0.05, 0.5),
    "mos/dnsmos_bak": Bound(0.15, 0.1, 1.5),
    "mos/dnsmos_p808": Bound(0.05, 0.05, 0.4),
    "speaker/similarity": Bound(0.0, 0.0, 0.0),
    "asr/wer": Bound(0.1, 0.1, 0.1),
    "semantic/similarity": Bound(0.05, 0.05, 0.05),
}
ROUNDING = 1e-3

CHECKED = [KNOWN[name] for name in ("en_fast", "en_short", "zh_plain")]
REFERENCE = KNOWN["en_plain"].clip()
FAMILIES = ("signal", "prosody", "nisqa_tts", "nisqa", "dnsmos", "speaker", "asr", "semantic")

each_clip = pytest.mark.parametrize("known", CHECKED, ids=lambda known: known.name)


def _values(measure: Measure, clip: MeasuredClip) -> dict[str, float]:
    held = replace(clip, reference=REFERENCE)
    scores = {name: scored for family in FAMILIES for name, scored in measure.if_there(family, held).items()}
    return {name: scored.value for name, scored in scores.items() if isinstance(scored, Score)}


def _moves(before: dict[str, float], after: dict[str, float]) -> dict[str, float]:
    return {name: abs(after[name] - before[name]) for name in before if name in after}


def _beyond(moves: dict[str, float], bounds: dict[str, float]) -> dict[str, float]:
    return {name: move for name, move in moves.items() if move > bounds[name] + ROUNDING}


@pytest.fixture(scope="module")
def at_own_rate(measure: Measure) -> dict[str, dict[str, float]]:
    return {known.name: _values(measure, known.clip()) for known in CHECKED}


@each_clip
def test_16_khz_moves_no_value_further_than_stated(
    known: Known, measure: Measure, at_own_rate: dict[str, dict[str, float]]
) -> None:
    moves = _moves(at_own_rate[known.name], _values(measure, known.clip(resampled(known.audio, 16_000))))
    assert _beyond(moves, {name: bound.at_16k for name, bound in BOUNDS.items()}) == {}


@each_clip
@pytest.mark.parametrize("sample_rate", [24_000, 44_100, 48_000])
def test_a_higher_sample_rate_moves_no_value_further_than_stated(
    known: Known, sample_rate: int, measure: Measure, at_own_rate: dict[str, dict[str, float]]
) -> None:
    moves = _moves(at_own_rate[known.name], _values(measure, known.clip(resampled(known.audio, sample_rate))))
    assert _beyond(moves, {name: bound.other_rates for name, bound in BOUNDS.items()}) == {}


@each_clip
def test_a_second_of_silence_at_the_end_moves_no_value_further_than_stated(
    known: Known, measure: Measure, at_own_rate: dict[str, dict[str, float]]
) -> None:
    moves = _moves(at_own_rate[known.name], _values(measure, known.clip(with_silence_after(known.audio, 1.0))))
    assert _beyond(moves, {name: bound.silence for name, bound in BOUNDS.items()}) == {}
