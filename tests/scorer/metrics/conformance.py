"""What every metric must hold, whatever it measures. A suite per family is three lines:

    class TestMine(MetricConformance):
        name = "mine"

It measures in this process. A metric that needs weights overrides `metric_instruments`.
"""

from __future__ import annotations

import hashlib
import math
import subprocess
import sys
from collections.abc import Mapping
from typing import Any, ClassVar

import pytest

from services.scorer.metrics.base import MeasuredClip
from services.scorer.metrics.instruments import Instruments
from services.scorer.metrics.panel import MetricUnavailable, Panel, build
from shared.audio import Audio, silence
from shared.catalog import canonical_json, lock_sha256
from shared.metric_families import families
from shared.metrics import METRICS
from shared.readings.pronunciation import Pronunciation
from shared.scores import MetricInfo, Reason, Score, Scored, Unscored, scored_from_json
from tests.scorer.metrics.clips import KNOWN, hum
from tests.scorer.metrics.measure import Measure

COSTS = {"queue_s": 0.1, "speak_s": 0.4, "rtf": 0.1, "cpu_s": 0.3, "peak_rss_mb": 300.0, "peak_vram_mb": 900.0}
HEAVY = {"numpy", "torch", "onnxruntime", "scipy", "librosa", "transformers", "soundfile"}
WITHOUT_SPEECH = {
    "silence": KNOWN["silence_24k"].audio,
    "noise": KNOWN["noise_48k"].audio,
    "hum": hum(),
    "empty": Audio(b"", 24_000),
    "10 ms": Audio(silence(0.01, 24_000), 24_000),
    "4 samples": Audio(b"\xff\x7f" * 4, 24_000),
}


def reasons(scores: Mapping[str, Scored]) -> set[Reason]:
    return {scored.reason for scored in scores.values() if isinstance(scored, Unscored)}


class MetricConformance:
    """Subclass it and name the family. Name another clip if the metric does not cover English."""

    name: ClassVar[str]
    speech: ClassVar[str] = "en_plain"
    """Which of tests/data/speech it is measured with: `zh_plain` is Chinese."""

    def clip(self, **changes: Any) -> MeasuredClip:
        known = KNOWN[self.speech]
        readings = Pronunciation((known.text or "")[:3], (f"{(known.text or '')[:3]}",), ("yes",))
        given = {
            "audio": known.audio,
            "text": known.text,
            "reference": KNOWN["en_fast"].audio,
            "pronunciation": readings,
        }
        given |= changes
        return MeasuredClip.of(**given, language=known.language, emotion="happy", cost=COSTS)

    @pytest.fixture
    def family(self) -> str:
        return self.name

    @pytest.fixture
    def info(self, family: str) -> MetricInfo:
        return families()[family]

    @pytest.fixture(scope="class")
    @classmethod
    def metric_instruments(cls, tmp_path_factory: pytest.TempPathFactory) -> Instruments:
        """What the metric stands on: here, no weights."""
        return Instruments(tmp_path_factory.mktemp("models"))

    @pytest.fixture(scope="class")
    @classmethod
    def metric_panel(cls, metric_instruments: Instruments) -> Panel:
        return Panel(families(), metric_instruments)

    @pytest.fixture(scope="class")
    @classmethod
    def measure(cls, metric_panel: Panel) -> Measure:
        return Measure(metric_panel)

    def test_its_facts_are_all_written_down(self, info: MetricInfo, family: str) -> None:
        assert info.family == family
        assert all((info.title, info.licence, info.source, info.quantities))

    def test_its_facts_load_no_library_of_its_code(self, info: MetricInfo) -> None:
        if info in METRICS.values():
            return  # they are all in one module
        script = "import sys\nfrom shared.metric_families import families\nprint(*families(), *sys.modules)"
        told = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True).stdout.split()
        assert info.family in told
        assert not HEAVY.intersection(told)

    def test_every_name_has_a_value_within_its_range_and_with_its_unit(
        self, measure: Measure, info: MetricInfo
    ) -> None:
        scores = measure(info.family, self.clip())
        assert tuple(scores) == info.names
        for quantity in info.quantities:
            scored = scores[quantity.name]
            assert isinstance(scored, Score), scored
            assert scored.unit == quantity.unit
            assert math.isfinite(scored.value)
            assert quantity.low is None or scored.value >= quantity.low
            assert quantity.high is None or scored.value <= quantity.high

    def test_the_same_clip_gives_the_same_values_twice(self, measure: Measure, family: str) -> None:
        assert measure(family, self.clip()) == measure(family, self.clip())

    def test_the_clip_is_left_as_it_was(self, measure: Measure, family: str) -> None:
        given = self.clip()
        before = hashlib.sha256(given.samples.tobytes()).digest()
        measure(family, given)
        assert hashlib.sha256(given.samples.tobytes()).digest() == before
        assert not given.samples.flags.writeable

    def test_without_text_it_is_unscored_where_text_is_needed(self, measure: Measure, info: MetricInfo) -> None:
        found = reasons(measure(info.family, self.clip(text=" ")))
        if info.needs_text:
            assert found == {Reason.NEEDS_TEXT}

    def test_without_a_reference_it_is_unscored_where_one_is_needed(self, measure: Measure, info: MetricInfo) -> None:
        found = reasons(measure(info.family, self.clip(reference=None)))
        assert found == ({Reason.NEEDS_REFERENCE} if info.needs_reference else set())

    def test_without_readings_it_is_unscored_where_they_are_needed(self, measure: Measure, info: MetricInfo) -> None:
        found = reasons(measure(info.family, self.clip(pronunciation=None)))
        assert found == ({Reason.NEEDS_PRONUNCIATION} if info.needs_pronunciation else set())

    @pytest.mark.parametrize("audio", WITHOUT_SPEECH.values(), ids=WITHOUT_SPEECH)
    def test_no_speech_no_score(self, measure: Measure, info: MetricInfo, audio: Audio) -> None:
        scores = measure(info.family, self.clip(audio=audio))
        if info.needs_speech:
            assert reasons(scores) == {Reason.NO_SPEECH}
            assert all(isinstance(scored, Unscored) for scored in scores.values())

    def test_its_scores_survive_the_pipe(self, measure: Measure, family: str) -> None:
        for scored in measure(family, self.clip()).values():
            assert scored_from_json(scored.to_json()) == scored

    def test_its_lock_is_known_before_it_is_loaded_and_stays_the_same(
        self, info: MetricInfo, metric_panel: Panel, metric_instruments: Instruments
    ) -> None:
        before = canonical_json(build(info, metric_instruments).lock())
        try:
            after = metric_panel.load(info.family)
        except MetricUnavailable as unavailable:
            pytest.skip(str(unavailable))
        assert canonical_json(after) == before

    def test_its_scores_carry_the_hash_of_its_lock(self, measure: Measure, metric_panel: Panel, family: str) -> None:
        scores = measure(family, self.clip())
        expected = lock_sha256(metric_panel.load(family))
        assert {s.scorer_lock for s in scores.values() if isinstance(s, Score)} == {expected}
