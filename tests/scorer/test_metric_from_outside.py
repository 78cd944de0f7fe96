"""A metric of another package, brought as CONTRIBUTING says: it holds what every metric holds, and is measured and
judged like ours. Where the package is not installed, what it measured is still described."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from services.scorer.scoring import score_clips
from services.scorer.scoring.metric_host import MetricHost
from services.scorer.scoring.score_clips import ScoringDeps
from services.scorer.studies.analyzer import Analyzer, Sides
from services.scorer.studies.evaluations import asked_for
from shared import metric_families
from shared.audio import Audio
from shared.blobs.folder import FolderBlobs
from shared.jobs import SpeechInput
from shared.scheduling.slots import Slots
from shared.scores import Reason, Score, Scored, Unscored
from tests.memory_store import MemoryJobStore
from tests.scorer.comparison.drawn import evaluated
from tests.scorer.metrics.clips import KNOWN
from tests.scorer.metrics.conformance import MetricConformance
from tests.scorer.test_scoring import spoken
from tests.scorer.wake_ups import Sounds

NAME = "loudness/range_db"


@pytest.fixture(scope="class")
def installed(loudness_range_path: Path) -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(loudness_range_path)
        patch.setenv("PYTHONPATH", str(loudness_range_path))
        metric_families.look_up.cache_clear()
        yield
    metric_families.look_up.cache_clear()


@pytest.mark.usefixtures("installed")
class TestLoudnessRange(MetricConformance):
    name = "loudness_range"


def scores_of(folder: Path, audio: Audio) -> Mapping[str, Scored]:
    """What a scorer with a real host records for a job that asks for this metric alone."""
    store, blobs, sounds = MemoryJobStore(), FolderBlobs(folder), Sounds()
    job_id = spoken(store, blobs.put(audio.pcm), SpeechInput("Yes.", "en", score=("loudness_range",)))
    with MetricHost(models=folder) as host:
        score_clips.run(ScoringDeps(Slots([host]), store, blobs, blobs, sounds, sounds, "here", clock=lambda: 1000.0))
    return store.get([job_id])[job_id].scores


@pytest.mark.usefixtures("installed")
def test_a_clip_is_measured_in_a_real_host(tmp_path: Path) -> None:
    (score,) = scores_of(tmp_path, KNOWN["en_plain"].audio).values()
    assert isinstance(score, Score)
    assert score.unit == "dB"
    assert 10 < score.value < 96


def test_a_scorer_without_the_package_says_so(tmp_path: Path) -> None:
    scores = scores_of(tmp_path, KNOWN["en_plain"].audio)
    assert scores == {
        "loudness_range": Unscored(Reason.SCORER_ERROR, "unknown metric family 'loudness_range'"),
    }
    assert asked_for(["loudness_range"]) == ("loudness_range",)


def judged() -> tuple[Mapping[str, Any], Mapping[str, Any]]:
    """The row of the metric and what a gate says to it, as the real child of a scorer computes them."""
    baseline, candidate = (
        evaluated(pin, lambda n, seed, mean=mean: {NAME: mean + np.random.default_rng((n, seed)).normal()})
        for pin, mean in (("v1", 30.0), ("v2", 35.0))
    )
    analyzer, rules = Analyzer({}.__getitem__), {"schema": 1, "rule": [{"metric": NAME, "better_by": 1}]}
    try:
        of = Sides(baseline, candidate)
        comparison = analyzer.compare("cmp_1", of, {}, [], lambda: False).outcome["comparison"]
        gate = analyzer.decide("gate_1", comparison, of, rules, lambda: False).outcome["gate"]
    finally:
        analyzer.close()
    return comparison, gate


@pytest.mark.usefixtures("installed")
def test_it_is_compared_and_gated_by_its_facts() -> None:
    comparison, gate = judged()
    row = next(row for row in comparison["rows"] if row["scope"] == "overall")
    assert (row["metric"], row["unit"], row["direction"]) == (NAME, "dB", "higher")
    assert comparison["scorer_licences"] == {"loudness_range": "Apache-2.0"}
    assert gate["verdict"] == "pass", gate["headline"]


def test_without_the_package_its_scores_are_described_and_not_judged() -> None:
    comparison, gate = judged()
    row = next(row for row in comparison["rows"] if row["scope"] == "overall")
    assert (row["metric"], row["direction"]) == (NAME, "neutral")
    assert gate["verdict"] == "inconclusive"
