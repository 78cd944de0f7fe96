"""What people delete in MLflow's page: jobs are tracked all the same, within one try."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from services.scorer.tracking.experiments import Experiments
from services.scorer.tracking.mlflow_http import MlflowHttp
from services.scorer.tracking.mlflow_tracker import MlflowTracker
from services.scorer.tracking.run_record import run_record
from services.scorer.tracking.runs import Logged, RunRecord, TrackerMissing, TrackerRefused
from tests.scorer.tracking.tracked_jobs import ENVIRONMENT, ENVIRONMENT_ID, MANIFEST, finished_job
from tests.scorer.tracking_server import Reader, TrackingServer

FILES = {"text.txt": b"Good morning."}


@pytest.fixture
def experiment(request: pytest.FixtureRequest) -> str:
    """A name that no other test has."""
    return f"ringtrue/{request.node.name}".replace("[", "-").replace("]", "")


def recorded(experiment: str) -> RunRecord:
    return replace(run_record(finished_job(), ENVIRONMENT, MANIFEST), experiment=experiment)


def delete_experiment(reader: Reader, name: str) -> str:
    found = reader.client.get_experiment_by_name(name)
    assert found is not None
    reader.client.delete_experiment(found.experiment_id)
    return str(found.experiment_id)


@pytest.mark.parametrize("just_started", [False, True], ids=["that it knew", "before it started"])
def test_a_deleted_experiment_is_restored(
    server: TrackingServer, reader: Reader, experiment: str, just_started: bool, caplog: pytest.LogCaptureFixture
) -> None:
    tracker = MlflowTracker(MlflowHttp(server.uri))
    first, second = recorded(experiment), recorded(experiment)
    tracker.log(first, FILES)
    delete_experiment(reader, experiment)
    run_id = (MlflowTracker(MlflowHttp(server.uri)) if just_started else tracker).log(second, FILES).run_id
    assert reader.run(second.subject, experiment).info.run_id == run_id
    assert reader.run(first.subject, experiment).info.status == "FINISHED"
    assert f"experiment {experiment} was deleted in MLflow and is restored" in caplog.text


def test_an_experiment_that_is_removed_for_good_is_made_again(
    server: TrackingServer, reader: Reader, experiment: str
) -> None:
    tracker = MlflowTracker(MlflowHttp(server.uri))
    tracker.log(recorded(experiment), FILES)
    server.remove_for_good("--experiment-ids", delete_experiment(reader, experiment))
    again = recorded(experiment)
    run_id = tracker.log(again, FILES).run_id
    assert reader.run(again.subject, experiment).info.run_id == run_id
    assert f"tts.environment.{ENVIRONMENT_ID}" in reader.experiment_tags(experiment)


@pytest.mark.parametrize("for_good", [False, True], ids=["deleted", "removed for good"])
def test_a_run_that_goes_before_it_is_recorded_is_made_again(
    server: TrackingServer, reader: Reader, experiment: str, for_good: bool
) -> None:
    tracker, record = MlflowTracker(MlflowHttp(server.uri)), recorded(experiment)
    first = tracker.log(record, FILES).run_id
    reader.client.delete_run(first)
    if for_good:
        server.remove_for_good("--run-ids", first)
    second = tracker.log(record, FILES).run_id
    assert second != first
    assert reader.run(record.subject, experiment).info.run_id == second


@pytest.mark.parametrize("step", ["complete", "add"])
@pytest.mark.parametrize("with_experiment", [False, True], ids=["alone", "with its experiment"])
def test_a_deleted_parent_run_is_restored_before_it_is_written_to(
    server: TrackingServer, reader: Reader, experiment: str, step: str, with_experiment: bool
) -> None:
    tracker, record = MlflowTracker(MlflowHttp(server.uri)), recorded(experiment)
    run_id = tracker.begin(record, lambda run: run).run_id
    if with_experiment:
        delete_experiment(reader, experiment)
    else:
        reader.client.delete_run(run_id)
    if step == "complete":
        tracker.complete(run_id, record, FILES)
    else:
        tracker.add(run_id, FILES, {"tts.gate.verdict": "pass"})
    assert reader.run(record.subject, experiment).info.run_id == run_id


def test_a_parent_run_that_is_removed_for_good_is_told_from_a_refusal(
    server: TrackingServer, reader: Reader, experiment: str
) -> None:
    tracker, record = MlflowTracker(MlflowHttp(server.uri)), recorded(experiment)
    run_id = tracker.begin(record, lambda run: run).run_id
    reader.client.delete_run(run_id)
    server.remove_for_good("--run-ids", run_id)
    with pytest.raises(TrackerMissing):
        tracker.complete(run_id, record, FILES)
    with pytest.raises(TrackerMissing):
        tracker.add(run_id, FILES, {})


@pytest.fixture
def own_server(tmp_path: Path) -> Iterator[TrackingServer]:
    server = TrackingServer(tmp_path)
    server.start()
    yield server
    server.stop()


def test_on_a_server_that_began_anew_every_run_is_in_its_own_experiment(own_server: TrackingServer) -> None:
    """It gives the ids of before to other experiments."""
    tracker = MlflowTracker(MlflowHttp(own_server.uri))
    tracker.log(recorded("ringtrue/jobs"), FILES)
    tracker.log(recorded("ringtrue/emotions"), FILES)
    own_server.begin_anew()
    logged: dict[str, Logged] = {}
    for experiment in ("ringtrue/emotions", "ringtrue/jobs"):
        record = recorded(experiment)
        logged[experiment] = tracker.log(record, FILES)
        assert Reader(own_server.uri).run(record.subject, experiment).info.run_id == logged[experiment].run_id


class OneExperiment:
    """A server with one experiment, whose id somebody else may change."""

    def __init__(self) -> None:
        self.id, self.stage, self.asked = "1", "active", 0

    def get(self, path: str, query: object) -> dict[str, object]:
        raise NotImplementedError

    def post(self, path: str, body: object) -> dict[str, object]:
        self.asked += 1
        return {"experiments": [{"experiment_id": self.id, "name": "ringtrue/jobs", "lifecycle_stage": self.stage}]}


def test_an_id_is_not_believed_for_longer_than_a_while() -> None:
    server, now = OneExperiment(), [0.0]
    experiments = Experiments(server, 100, lambda: now[0])
    assert [experiments.id_of("ringtrue/jobs") for _ in range(3)] == ["1"] * 3
    assert server.asked == 1
    server.id, now[0] = "7", 31.0
    assert experiments.id_of("ringtrue/jobs") == "7"


def test_what_is_refused_for_another_reason_is_tried_once(caplog: pytest.LogCaptureFixture) -> None:
    tries = []

    def refused(experiment_id: str) -> None:
        tries.append(experiment_id)
        raise TrackerRefused("no such metric")

    with caplog.at_level(logging.WARNING), pytest.raises(TrackerRefused, match="no such metric"):
        Experiments(OneExperiment(), 100).within("ringtrue/jobs", refused)
    assert (tries, caplog.text) == (["1"], "")
