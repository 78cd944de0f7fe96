"""What whoever keeps the runs of evaluations promises: MLflow, and the fake that stands for it."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from typing import Any, Protocol

import pytest
from mlflow.entities import Run

from services.scorer.tracking.mlflow_http import MlflowHttp
from services.scorer.tracking.mlflow_tracker import MlflowTracker
from services.scorer.tracking.runs import Logged, RunRecord, StudyTracker
from services.scorer.tracking.study_records import begun_record, evaluation_record
from shared.jobs import Facet, FacetStatus
from shared.studies import Kind, Study, StudyIds
from tests.scorer.studies.desk import MOS, NOW, suite_of
from tests.scorer.studies.fake_tracker import FakeTracker
from tests.scorer.tracking_server import Reader, TrackingServer

_ids = StudyIds(Kind.EVALUATION)


@dataclass
class Kept:
    """The store's part: the first run that is recorded counts."""

    run: Logged | None = None
    lock: Any = field(default_factory=threading.Lock)

    def __call__(self, run: Logged) -> Logged:
        with self.lock:
            self.run = self.run or run
            return self.run


@dataclass(frozen=True)
class Seen:
    """A run as an outsider sees it."""

    run_id: str
    status: str
    params: Mapping[str, str]
    metrics: Mapping[str, float]
    tags: Mapping[str, str]
    files: Mapping[str, bytes]


class Place(Protocol):
    """A tracking server, and how to look past our own code at what it has."""

    def tracker(self) -> StudyTracker: ...

    def runs(self, evaluation_id: str) -> list[Seen]: ...

    def leave(self, study: Study) -> None:
        """A run of this evaluation that a writer made who then died."""


class FakePlace:
    def __init__(self) -> None:
        self._fake = FakeTracker()

    def tracker(self) -> StudyTracker:
        return self._fake

    def runs(self, evaluation_id: str) -> list[Seen]:
        found = self._fake.of(evaluation_id).items()
        return [Seen(id_, r.status.value, r.params, r.metrics, r.tags, r.files) for id_, r in found]

    def leave(self, study: Study) -> None:
        self._fake.make(begun_record(study, self._fake.limits))


class MlflowPlace:
    def __init__(self, uri: str, folder: Callable[[], Any]) -> None:
        self._uri, self._folder = uri, folder

    def tracker(self) -> StudyTracker:
        return MlflowTracker(MlflowHttp(self._uri))

    def runs(self, evaluation_id: str) -> list[Seen]:
        reader = Reader(self._uri)
        runs = reader.evaluation_runs(evaluation_id, "ringtrue/little")
        return [self._seen(run, reader.files(run, self._folder())) for run in runs]

    def leave(self, study: Study) -> None:
        client = Reader(self._uri).client
        experiment = client.get_experiment_by_name("ringtrue/little")
        id_ = experiment.experiment_id if experiment else client.create_experiment("ringtrue/little")
        client.create_run(id_, start_time=round(NOW * 1000), tags={"tts.evaluation_id": study.id})

    @staticmethod
    def _seen(run: Run, files: Mapping[str, bytes]) -> Seen:
        data = run.data
        return Seen(run.info.run_id, run.info.status, data.params, data.metrics, data.tags, files)


@pytest.fixture(params=["fake", "mlflow"])
def place(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    if request.param == "fake":
        yield FakePlace()
    else:
        server: TrackingServer = request.getfixturevalue("server")
        yield MlflowPlace(server.uri, lambda: tmp_path_factory.mktemp("run"))


@pytest.fixture
def study() -> Study:
    suite = suite_of()
    return Study(
        id=_ids.next(),
        user="ann",
        kind=Kind.EVALUATION,
        asked={
            "suite": suite.to_json(),
            "pin": "tts-v1",
            "engine": "tts",
            "lock_sha256": "1" * 64,
            "seeds": [0, 1],
            "score": True,
            "params": {"speed": 1.25, "options": {"gap ms": 10}},
            "preprocessing": "plain@1",
        },
        stands_on=(),
        created_at=NOW,
        result=Facet(FacetStatus.RUNNING),
        tracking=Facet(FacetStatus.PENDING),
        suite=suite.name,
        suite_sha256=suite.sha256,
    )


def over(study: Study, **changes: Any) -> Study:
    figures = {"mean": 3.5, "n": 3, "unscored": {"no_speech": 2}}
    outcome = {"metrics": {MOS: figures}, "noise": {MOS: {"run_to_run": 0.125}}, "scorer_locks": {MOS: "d" * 64}}
    done = {"result": Facet(FacetStatus.DONE), "outcome": outcome, "completed_at": NOW + 60}
    return replace(study, **{**done, **changes})


def begun(tracker: StudyTracker, study: Study, kept: Kept) -> str:
    return tracker.begin(begun_record(study, tracker.limits), kept).run_id


def record(tracker: StudyTracker, study: Study) -> RunRecord:
    return evaluation_record(study, tracker.limits)


def test_a_run_that_was_begun_says_whose_it_is_and_goes_on(place: Place, study: Study) -> None:
    run_id = begun(place.tracker(), study, Kept())
    [run] = place.runs(study.id)
    assert (run.run_id, run.status) == (run_id, "RUNNING")
    assert (
        run.tags.items()
        >= {
            "tts.evaluation_id": study.id,
            "tts.pin": "tts-v1",
            "tts.lock_sha256": "1" * 64,
            "tts.suite": "little",
            "tts.suite_sha256": study.suite_sha256,
            "mlflow.user": "ann",
        }.items()
    )


def test_it_is_begun_once(place: Place, study: Study) -> None:
    kept = Kept()
    assert begun(place.tracker(), study, kept) == begun(place.tracker(), study, kept)
    assert len(place.runs(study.id)) == 1


def test_what_a_crash_left_before_it_was_recorded_is_found(place: Place, study: Study) -> None:
    class Crash(Exception): ...

    def crash(run: Logged) -> Logged:
        raise Crash

    tracker = place.tracker()
    with pytest.raises(Crash):
        tracker.begin(begun_record(study, tracker.limits), crash)
    [left] = place.runs(study.id)
    assert begun(tracker, study, Kept()) == left.run_id


def test_a_run_that_the_store_does_not_know_gives_way(place: Place, study: Study) -> None:
    tracker, first, second = place.tracker(), Kept(), Kept(Logged("recorded by another", ""))
    begun(tracker, study, first)
    assert begun(tracker, study, second) == "recorded by another"
    assert place.runs(study.id) == []


def test_of_many_who_begin_at_once_one_run_stays(place: Place, study: Study) -> None:
    kept, together = Kept(), threading.Barrier(4)

    def begin() -> str:
        tracker = place.tracker()
        together.wait(20)
        return begun(tracker, study, kept)

    with ThreadPoolExecutor(4) as threads:
        told = {future.result(timeout=60) for future in [threads.submit(begin) for _ in range(4)]}
    [run] = place.runs(study.id)
    assert told == {run.run_id}


def test_a_completed_run_says_everything(place: Place, study: Study) -> None:
    tracker = place.tracker()
    run_id = begun(tracker, study, Kept())
    tracker.complete(run_id, record(tracker, over(study)), {"items.jsonl": b"{}\n", "lock.json": b"{}"})
    [run] = place.runs(study.id)
    assert run.status == "FINISHED"
    assert run.params == {
        "model_version": "tts-v1",
        "engine": "tts",
        "suite": "little",
        "suite_version": "1",
        "items": "3",
        "seeds": "[0, 1]",
        "score": "true",
        "text_preprocessing": "plain@1, nfc",
        "speed": "1.25",
        "options.gap_ms": "10",
    }
    means = {MOS: 3.5, "predicted_MOS": 3.5, f"n/{MOS}": 3.0, f"unscored/{MOS}": 2.0, f"noise/{MOS}": 0.125}
    assert run.metrics == means
    assert run.tags["tts.unscored"] == f"{MOS}: no_speech 2"
    assert run.tags["tts.primary_mos"] == MOS
    assert run.files == {"items.jsonl": b"{}\n", "lock.json": b"{}"}


def test_completing_it_again_changes_nothing(place: Place, study: Study) -> None:
    tracker = place.tracker()
    run_id = begun(tracker, study, Kept())
    for _ in range(2):
        tracker.complete(run_id, record(tracker, over(study)), {"items.jsonl": b"{}\n"})
        runs = place.runs(study.id)
    assert [(run.run_id, run.status, run.files) for run in runs] == [(run_id, "FINISHED", {"items.jsonl": b"{}\n"})]


def test_completing_it_deletes_what_another_began_and_left(place: Place, study: Study) -> None:
    tracker, kept = place.tracker(), Kept()
    place.leave(study)
    place.leave(study)
    recorded = begun(tracker, study, kept)
    place.leave(study)
    tracker.complete(recorded, record(tracker, over(study)), {})
    assert [run.run_id for run in place.runs(study.id)] == [recorded]


@pytest.mark.parametrize(
    ("changes", "status", "error"),
    [
        ({"result": Facet(FacetStatus.SKIPPED), "outcome": None}, "KILLED", "canceled"),
        (
            {
                "result": Facet(FacetStatus.FAILED),
                "outcome": None,
                "error": {"code": "scorer_error", "message": "it died"},
            },
            "FAILED",
            "scorer_error: it died",
        ),
    ],
    ids=["canceled", "failed"],
)
def test_an_evaluation_without_a_result_ends_so(
    place: Place, study: Study, changes: dict[str, Any], status: str, error: str
) -> None:
    tracker = place.tracker()
    run_id = begun(tracker, study, Kept())
    tracker.complete(run_id, record(tracker, over(study, **changes)), {})
    [run] = place.runs(study.id)
    assert (run.status, run.tags["tts.error"], run.metrics) == (status, error, {})


def test_files_and_tags_are_added_to_a_run_that_is_over(place: Place, study: Study) -> None:
    tracker = place.tracker()
    run_id = begun(tracker, study, Kept())
    tracker.complete(run_id, record(tracker, over(study)), {})
    for _ in range(2):
        tracker.add(run_id, {"comparisons/cmp_1/report.html": b"<p>"}, {"tts.gate.verdict": "pass"})
    [run] = place.runs(study.id)
    assert run.files == {"comparisons/cmp_1/report.html": b"<p>"}
    assert run.tags["tts.gate.verdict"] == "pass"
    assert run.status == "FINISHED"
