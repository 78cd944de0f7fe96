"""Which noise floors a comparison is held against."""

from __future__ import annotations

import pytest

from shared.scores import Score
from tests.scorer.studies.desk import ENVIRONMENT, MOS, Desk, two_evaluations
from tests.scorer.studies.fake_analyzer import FakeAnalyzer


@pytest.fixture
def analyzer() -> FakeAnalyzer:
    return FakeAnalyzer()


def test_the_floors_are_the_baselines_own_where_it_has_two_seeds(desk: Desk, analyzer: FakeAnalyzer) -> None:
    baseline, candidate = two_evaluations(desk, seeds=(0, 1))
    desk.comparison(baseline, candidate)
    desk.compute(analyzer)
    [floors] = analyzer.floors
    assert (floors[MOS].evaluation, floors[MOS].seeds) == (baseline, 2)


def test_else_they_are_those_of_the_newest_evaluation_that_was_made_alike(desk: Desk, analyzer: FakeAnalyzer) -> None:
    older, newer = desk.evaluation(seeds=(0, 1)), desk.evaluation(seeds=(0, 1, 2))
    desk.evaluation(seeds=(0, 1), preprocessing="plain@1")
    desk.evaluation(seeds=(0, 1), lexicon={"name": "ours", "version": "3", "sha256": "ab" * 32, "entries": {"a": "b"}})
    desk.evaluation(seeds=(0, 1), params={})
    desk.evaluation("tts-v2", seeds=(0, 1))
    desk.speak()
    desk.comparison(*two_evaluations(desk))
    desk.compute(analyzer)
    assert analyzer.floors[0][MOS].evaluation == newer != older


def test_a_floor_of_another_scorer_is_none(desk: Desk, analyzer: FakeAnalyzer) -> None:
    desk.evaluation(seeds=(0, 1))
    desk.speak(lambda item, seed: {MOS: Score(3.0, "MOS", "9" * 64)})
    desk.comparison(*two_evaluations(desk))
    desk.compute(analyzer)
    assert analyzer.floors == [{}]


@pytest.mark.parametrize(
    ("differs", "fits"),
    [({"gpu": "NVIDIA H100"}, False), ({"precision": "float16"}, False), ({"commit": "d" * 40}, True)],
    ids=["device", "precision", "commit"],
)
def test_a_floor_holds_where_it_was_measured(
    desk: Desk, analyzer: FakeAnalyzer, differs: dict[str, str], fits: bool
) -> None:
    desk.store.record_environment("there", {**ENVIRONMENT, **differs})
    desk.evaluation(seeds=(0, 1))
    desk.speak(environment="there")
    desk.comparison(*two_evaluations(desk))
    desk.compute(analyzer)
    assert [MOS in floors for floors in analyzer.floors] == [fits]
