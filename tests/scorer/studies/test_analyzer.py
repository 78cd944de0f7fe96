"""The child that compares and decides, started for real, and children that do not do what they should."""

from __future__ import annotations

import sys
import threading
from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

import pytest

from services.scorer.analysis.comparison.comparability import NotComparable
from services.scorer.analysis.comparison.compute import compare
from services.scorer.analysis.comparison.floors import measured_floors
from services.scorer.analysis.comparison.result import ComparisonResult, GateResult
from services.scorer.studies.analyzer import HOST, AnalysisFailed, AnalysisRefused, Analyzer, GivenUp, Sides
from services.scorer.studies.evaluations import EvaluationReader
from services.scorer.studies.result_cache import comparable_part
from tests.scorer.studies.desk import MOS, Desk, scored

RULES = {"schema": 1, "rule": [{"metric": MOS, "better_by": 0.25}]}
SERVED = (
    "from shared.processes.serving import Served; import os, time; "
    "served = Served(); served.answer({'op': 'ready'}); request = next(served.requests()); "
)


def never() -> bool:
    return False


def sides(desk: Desk, items: int = 12, **changes: Any) -> Sides:
    baseline = desk.evaluation("tts-v1", items, seeds=(0, 1))
    desk.speak()
    candidate = desk.evaluation("tts-v2", items, seeds=(0, 1), **changes)
    desk.speak(partial(scored, better=0.5))
    evaluations = EvaluationReader(desk.studies, desk.store)
    return Sides(*(comparable_part(evaluations.read(desk.study(id_))) for id_ in (baseline, candidate)))


def child(script: str) -> Sequence[str]:
    return (sys.executable, "-c", SERVED + script)


@pytest.fixture(scope="module")
def both(tmp_path_factory: pytest.TempPathFactory) -> tuple[Desk, Sides]:
    desk = Desk(tmp_path_factory.mktemp("desk"))
    return desk, sides(desk)


@pytest.fixture(scope="module")
def compared(both: tuple[Desk, Sides]) -> tuple[Mapping[str, Any], Mapping[str, bytes]]:
    """Outcome and files of one comparison, made by the real child."""
    desk, of = both
    analyzer = Analyzer(desk.blobs.get, HOST)
    try:
        verdict = analyzer.compare("cmp_1", of, measured_floors(of.baseline), [], never)
    finally:
        analyzer.close()
    return verdict.outcome["comparison"], verdict.files


def test_the_child_compares_as_the_code_does_that_it_runs(
    both: tuple[Desk, Sides], compared: tuple[Mapping[str, Any], Mapping[str, bytes]]
) -> None:
    _, of = both
    expected = compare("cmp_1", of.baseline, of.candidate, measured_floors(of.baseline))
    assert ComparisonResult.from_json(compared[0]) == expected


def test_the_report_has_the_clips_and_its_charts_are_files_as_well(
    compared: tuple[Mapping[str, Any], Mapping[str, bytes]],
) -> None:
    files = compared[1]
    assert b"data:audio" in files["report.html"]
    assert "plots/forest.svg" in files
    assert all(path == "report.html" or path.startswith("plots/") for path in files)


def test_a_gate_is_decided_and_drawn(
    both: tuple[Desk, Sides], compared: tuple[Mapping[str, Any], Mapping[str, bytes]]
) -> None:
    desk, of = both
    analyzer = Analyzer(desk.blobs.get)
    try:
        verdict = analyzer.decide("gate_1", compared[0], of, RULES, never)
    finally:
        analyzer.close()
    gate = GateResult.from_json(verdict.outcome["gate"])
    assert (gate.id, gate.verdict) == ("gate_1", "pass")
    assert set(verdict.files) == {"gate.json", "junit.xml", "summary.md", "report.html"}


def test_a_refusal_has_its_code_and_the_next_study_is_compared(desk: Desk) -> None:
    other, analyzer = sides(desk, 2, params={}), Analyzer(desk.blobs.get)
    try:
        with pytest.raises(AnalysisRefused, match="--allow params") as refused:
            analyzer.compare("cmp_1", other, {}, [], never)
        assert refused.value.code == NotComparable.code
        assert analyzer.compare("cmp_2", other, {}, ["params"], never).outcome["comparison"]["id"] == "cmp_2"
    finally:
        analyzer.close()


def test_without_its_sounds_a_comparison_is_made_all_the_same(desk: Desk) -> None:
    of = sides(desk, 2)

    def gone(pcm_sha256: str) -> bytes:
        raise KeyError(pcm_sha256)

    analyzer = Analyzer(gone)
    try:
        assert b"data:audio" not in analyzer.compare("cmp_1", of, {}, [], never).files["report.html"]
    finally:
        analyzer.close()


@pytest.mark.parametrize(
    ("script", "said"),
    [
        ("os.abort()", "died of SIGABRT"),
        ("os._exit(3)", "exited with 3"),
        ("served.answer({'op': 'failed', 'error': 'ZeroDivisionError()'})", "ZeroDivisionError"),
        ("time.sleep(60)", "no answer within 1 s"),
    ],
    ids=["crash", "exit", "exception", "hang"],
)
def test_a_child_that_does_not_answer_fails_the_study(desk: Desk, script: str, said: str) -> None:
    analyzer = Analyzer(desk.blobs.get, child(script), deadline_s=1.0 if "sleep" in script else 60.0)
    with pytest.raises(AnalysisFailed, match=said):
        analyzer.compare("cmp_1", sides(desk, 2), {}, [], never)
    analyzer.close()


def test_a_child_that_never_listens_holds_nobody_up(desk: Desk) -> None:
    analyzer = Analyzer(desk.blobs.get, (sys.executable, "-c", "import time; time.sleep(60)"), deadline_s=1.0)
    more_than_a_pipe_holds = sides(desk, 200)
    with pytest.raises(AnalysisFailed, match="no answer within 1 s"):
        analyzer.compare("cmp_1", more_than_a_pipe_holds, {}, [], never)


def test_a_study_that_nobody_wants_any_more_is_given_up(desk: Desk) -> None:
    unwanted = threading.Event()
    threading.Timer(0.3, unwanted.set).start()
    analyzer = Analyzer(desk.blobs.get, child("time.sleep(60)"))
    with pytest.raises(GivenUp):
        analyzer.compare("cmp_1", sides(desk, 2), {}, [], unwanted.is_set)
