"""Evaluations, comparisons and gates as somebody finds them who opens a real MLflow."""

from __future__ import annotations

import io
import threading
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from statistics import fmean

import pyarrow.parquet as pq
import pytest

from services.scorer.tracking import track_studies
from services.scorer.tracking.mlflow_http import MlflowHttp
from services.scorer.tracking.mlflow_tracker import MlflowTracker
from services.scorer.tracking.parent_runs import ParentRuns
from tests.scorer.studies.desk import MOS, WER, Desk, logged, scored
from tests.scorer.studies.fake_analyzer import RULES, FakeAnalyzer
from tests.scorer.tracking_server import Reader, TrackingServer


def test_two_who_log_at_once_leave_one_run_each(desk: Desk, server: TrackingServer, reader: Reader) -> None:
    id_ = desk.evaluation(items=8)
    desk.speak()
    together = threading.Barrier(2)

    def log() -> None:
        tracker = MlflowTracker(MlflowHttp(server.uri))
        together.wait(20)
        desk.log_jobs(tracker, ParentRuns(desk.studies, tracker), in_flight=3)

    with ThreadPoolExecutor(2) as threads:
        for future in [threads.submit(log) for _ in range(2)]:
            future.result(timeout=120)
    [parent] = reader.evaluation_runs(id_, "ringtrue/little")
    below = reader.children(parent)
    assert sorted(run.data.tags["tts.job_id"] for run in below) == sorted(job.id for job in desk.jobs(id_))


def test_two_who_complete_it_at_once_change_nothing(desk: Desk, server: TrackingServer, reader: Reader) -> None:
    id_ = desk.evaluation()
    tracker = MlflowTracker(MlflowHttp(server.uri))
    logged(desk, tracker, id_)
    [before] = reader.evaluation_runs(id_, "ringtrue/little")
    track_studies.track(desk.logging(tracker), tracker, desk.study(id_))
    [after] = reader.evaluation_runs(id_, "ringtrue/little")
    assert after.to_dictionary() == before.to_dictionary()


def test_in_mlflow_the_means_are_those_of_the_children_and_of_the_items_table(
    desk: Desk, server: TrackingServer, reader: Reader, tmp_path_factory: pytest.TempPathFactory
) -> None:
    id_ = desk.evaluation(seeds=(0, 1))
    logged(desk, MlflowTracker(MlflowHttp(server.uri)), id_)
    [parent] = reader.evaluation_runs(id_, "ringtrue/little")
    files = reader.files(parent, tmp_path_factory.mktemp("run"))
    rows = pq.read_table(io.BytesIO(files["items.parquet"])).to_pylist()
    children = {run.info.run_id: run.data.metrics for run in reader.children(parent)}
    assert {row["run_id"] for row in rows} == set(children)
    for name in (MOS, WER):
        values: dict[str, list[float]] = {}
        for row in rows:
            assert row[name] == children[row["run_id"]].get(name)
            if row[name] is not None:
                values.setdefault(row["item"], []).append(row[name])
        assert parent.data.metrics[name] == pytest.approx(fmean(map(fmean, values.values())))


def test_in_mlflow_a_gate_and_its_report_hang_at_the_candidate(
    desk: Desk, server: TrackingServer, reader: Reader, tmp_path_factory: pytest.TempPathFactory
) -> None:
    tracker = MlflowTracker(MlflowHttp(server.uri))
    baseline, candidate = desk.evaluation(), desk.evaluation("tts-v2")
    comparison = desk.comparison(baseline, candidate)
    desk.gate(comparison, RULES)
    desk.speak(partial(scored, better=0.5))
    desk.log_jobs(tracker)
    desk.compute(FakeAnalyzer(), tracker)
    [run] = reader.evaluation_runs(candidate, "ringtrue/little")
    files = reader.files(run, tmp_path_factory.mktemp("run"))
    assert f"comparisons/{comparison}/report.html" in files
    assert f"comparisons/{comparison}/plots/forest.svg" in files
    assert run.data.tags["tts.gate.verdict"] == "pass"
    assert run.data.tags["tts.baseline.run_id"] == desk.study(baseline).run_id
