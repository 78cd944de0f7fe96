"""Runs in a real MLflow server, read back with MLflow's own client."""

from __future__ import annotations

import logging
import threading
from collections.abc import Collection, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from services.scorer.tracking.mlflow_http import MlflowHttp
from services.scorer.tracking.mlflow_tracker import MlflowTracker
from services.scorer.tracking.run_record import SuiteItem, run_record
from services.scorer.tracking.runs import RunRecord, TrackerRefused, TrackerUnavailable
from shared.errors import FailureCode, SettingsError
from shared.jobs import Job, JobError, Status
from tests.recording_proxy import recording_proxy, say_proxies
from tests.scorer.tracking.tracked_jobs import ENVIRONMENT, ENVIRONMENT_ID, HAPPY, MANIFEST, ended_job, finished_job
from tests.scorer.tracking_server import Reader, TrackingServer, free_port

FILES = {"audio/happy.wav": b"RIFF" * 20_000, "picture.png": b"\x89PNG" * 5_000, "text.txt": HAPPY.text.encode()}


@pytest.fixture
def tracker(server: TrackingServer) -> MlflowTracker:
    return MlflowTracker(MlflowHttp(server.uri))


def recorded(job: Job) -> RunRecord:
    return run_record(job, ENVIRONMENT, MANIFEST)


def test_a_run_arrives_with_every_name_and_file(tracker: MlflowTracker, reader: Reader, tmp_path: Path) -> None:
    record = recorded(finished_job(replace(HAPPY, options={"gap_ms": 10})))
    logged = tracker.log(record, FILES)
    run = reader.run(record.subject)
    assert run.info.run_id == logged.run_id
    assert (run.info.run_name, run.info.status) == (record.name, "FINISHED")
    assert (run.info.start_time, run.info.end_time) == (record.start_ms, record.end_ms)
    assert run.data.params == record.params
    assert run.data.metrics == record.metrics
    assert run.data.tags == {**record.tags, "mlflow.runName": record.name}
    assert reader.files(run, tmp_path) == FILES
    assert logged.url.endswith(f"/#/experiments/{run.info.experiment_id}/runs/{run.info.run_id}")


def test_an_environment_is_described_at_the_experiment(tracker: MlflowTracker, reader: Reader) -> None:
    record = recorded(finished_job())
    tracker.log(record, {})
    assert record.environment is not None
    assert reader.experiment_tags()[f"tts.environment.{ENVIRONMENT_ID}"] == record.environment.description


def test_logging_a_job_again_changes_nothing(tracker: MlflowTracker, reader: Reader) -> None:
    record = recorded(finished_job())
    first = tracker.log(record, FILES)
    before = reader.run(record.subject)
    assert tracker.log(record, FILES) == first
    assert reader.run(record.subject).to_dictionary() == before.to_dictionary()


def test_a_run_that_a_crash_left_empty_is_completed(tracker: MlflowTracker, reader: Reader, tmp_path: Path) -> None:
    record = recorded(finished_job())
    tags = {"tts.job_id": record.subject}
    experiment = reader.client.get_experiment_by_name("ringtrue/jobs")
    assert experiment is not None
    left = reader.client.create_run(experiment.experiment_id, start_time=record.start_ms, tags=tags)
    assert tracker.log(record, FILES).run_id == left.info.run_id
    run = reader.run(record.subject)
    assert (run.data.params, run.data.metrics, run.info.status) == (record.params, record.metrics, "FINISHED")
    assert record.tags.items() <= run.data.tags.items()
    assert reader.files(run, tmp_path) == FILES


def test_a_run_that_a_crash_left_half_written_is_completed(tracker: MlflowTracker, reader: Reader) -> None:
    record = recorded(finished_job())
    run_id = tracker.log(record, FILES).run_id
    reader.client.update_run(run_id, status="RUNNING")
    assert tracker.log(record, FILES).run_id == run_id
    metrics = reader.client.get_metric_history(run_id, "predicted_MOS")
    assert (reader.run(record.subject).info.status, len(metrics)) == ("FINISHED", 1)


def test_two_writers_at_once_leave_one_run(server: TrackingServer, reader: Reader) -> None:
    records = [recorded(finished_job()) for _ in range(6)]  # they meet in the same request now and then only
    together = threading.Barrier(2, timeout=30)

    def write() -> list[str]:
        tracker = MlflowTracker(MlflowHttp(server.uri))
        return [tracker.log(record, FILES).run_id for record in records if together.wait() >= 0]

    with ThreadPoolExecutor(2) as threads:
        one, other = [future.result() for future in [threads.submit(write) for _ in range(2)]]
    runs = [reader.run(record.subject) for record in records]
    assert one == other == [run.info.run_id for run in runs]
    assert {run.info.status for run in runs} == {"FINISHED"}


def test_eight_threads_find_each_their_own_run(tracker: MlflowTracker, reader: Reader) -> None:
    records = [recorded(finished_job()) for _ in range(8)]
    with ThreadPoolExecutor(8) as threads:
        first = list(threads.map(lambda record: tracker.log(record, {}), records))
        again = list(threads.map(lambda record: tracker.log(record, {}), records))
    assert first == again
    assert [reader.run(record.subject).info.run_id for record in records] == [logged.run_id for logged in first]


def test_a_shared_search_that_would_find_too_much_asks_for_each_job_alone(server: TrackingServer) -> None:
    tracker = MlflowTracker(MlflowHttp(server.uri), most_found=2)
    records = [recorded(finished_job()) for _ in range(6)]
    first = [tracker.log(record, {}) for record in records]
    with ThreadPoolExecutor(6) as threads:
        assert list(threads.map(lambda record: tracker.log(record, {}), records)) == first


def test_a_run_takes_as_few_requests_as_the_server_allows(tracker: MlflowTracker, server: TrackingServer) -> None:
    tracker.log(recorded(finished_job()), {})
    before = server.requests()
    tracker.log(recorded(finished_job()), FILES)
    look, create, look_again, batch, files, update = 1, 1, 1, 1, len(FILES), 1
    assert server.requests() - before == look + create + look_again + batch + files + update
    before = server.requests()
    tracker.log(recorded(finished_job()), FILES, still_sole=lambda: True)
    assert server.requests() - before == create + batch + files + update


def test_a_text_beyond_the_limit_is_cut_and_whole_in_its_file(
    tracker: MlflowTracker, reader: Reader, tmp_path: Path
) -> None:
    text = "好" * 10_000
    record = run_record(finished_job(replace(HAPPY, text=text)), limits=tracker.limits)
    tracker.log(record, {"text.txt": text.encode()})
    run = reader.run(record.subject)
    assert run.data.params["input_text"] == text[: tracker.limits.param]
    assert reader.files(run, tmp_path)["text.txt"].decode() == text


@pytest.mark.parametrize(
    ("job", "status", "error"),
    [
        (
            ended_job(Status.FAILED, JobError(FailureCode.ENGINE_CRASHED, "SIGSEGV")),
            "FAILED",
            "engine_crashed: SIGSEGV",
        ),
        (ended_job(Status.CANCELED), "KILLED", "canceled"),
    ],
    ids=["failed", "canceled"],
)
def test_a_job_without_audio_has_a_run_that_says_so(
    tracker: MlflowTracker, reader: Reader, job: Job, status: str, error: str
) -> None:
    tracker.log(recorded(job), {"text.txt": b"x"})
    run = reader.run(job.id)
    assert (run.info.status, run.data.tags["tts.error"]) == (status, error)


def test_more_options_than_one_request_takes_are_all_logged(tracker: MlflowTracker, reader: Reader) -> None:
    record = recorded(finished_job(replace(HAPPY, options={f"o{n}": n for n in range(150)})))
    tracker.log(record, {})
    assert reader.run(record.subject).data.params == record.params


def test_a_suite_is_an_experiment_of_its_own(tracker: MlflowTracker, reader: Reader) -> None:
    job = finished_job()
    tracker.log(run_record(job, suite=SuiteItem("emotions", "5" * 64, "happy-03")), {})
    assert reader.run(job.id, "ringtrue/emotions").data.tags["tts.item"] == "happy-03"
    assert reader.runs(job.id) == []


def test_what_the_server_does_not_take_is_told_in_its_words(tracker: MlflowTracker) -> None:
    record = recorded(finished_job())
    with pytest.raises(TrackerRefused, match="Invalid value"):
        tracker.log(replace(record, metrics={"not?allowed": 1.0}), {})


def test_a_server_that_is_away_is_unavailable() -> None:
    with pytest.raises(TrackerUnavailable):
        MlflowTracker(MlflowHttp(f"http://127.0.0.1:{free_port()}")).log(recorded(finished_job()), {})


def test_an_address_that_is_no_servers_is_a_wrong_setting() -> None:
    with pytest.raises(SettingsError, match="MLFLOW_TRACKING_URI"):
        MlflowTracker(MlflowHttp("sqlite:///mlflow.db"))


def test_a_server_on_this_machine_is_sent_texts_and_clips_and_the_proxy_nothing(
    server: TrackingServer, reader: Reader, monkeypatch: pytest.MonkeyPatch
) -> None:
    record = recorded(finished_job())
    with recording_proxy() as proxy:
        say_proxies(monkeypatch, HTTP_PROXY=proxy.url, ALL_PROXY=proxy.url)
        MlflowTracker(MlflowHttp(server.uri.replace("127.0.0.1", "localhost"))).log(record, FILES)
        say_proxies(monkeypatch)
        assert (proxy.sent, reader.run(record.subject).info.status) == ([], "FINISHED")


def test_a_server_elsewhere_is_asked_through_the_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    with recording_proxy() as proxy:
        say_proxies(monkeypatch, HTTP_PROXY=proxy.url, NO_PROXY="fd00::/8,[::1]")
        with pytest.raises(TrackerRefused):
            MlflowTracker(MlflowHttp("http://mlflow.example:5000")).log(recorded(finished_job()), {})
        assert proxy.sent[0].startswith("POST http://mlflow.example:5000/api/2.0/mlflow/experiments/search ")


@pytest.mark.parametrize("variables", [{"ALL_PROXY": "socks5://127.0.0.1:1"}, {"http_proxy": "http://proxy:port"}])
def test_a_proxy_that_cannot_be_used_is_a_wrong_setting(
    monkeypatch: pytest.MonkeyPatch, variables: dict[str, str]
) -> None:
    say_proxies(monkeypatch, **variables)
    with pytest.raises(SettingsError, match=f"^{next(iter(variables))} "):
        MlflowTracker(MlflowHttp("http://mlflow.example:5000"))


def test_a_password_in_the_address_is_used_and_not_shown(server: TrackingServer) -> None:
    tracker = MlflowTracker(MlflowHttp(server.uri.replace("//", "//ann:secret@")))
    assert "secret" not in tracker.log(recorded(finished_job()), {}).url


def test_links_lead_where_people_reach_the_server(server: TrackingServer, reader: Reader) -> None:
    tracker = MlflowTracker(MlflowHttp(server.uri), url="https://ann:secret@runs.example/mlflow/")
    record = recorded(finished_job())
    url = tracker.log(record, {}).url
    run = reader.run(record.subject).info
    assert url == f"https://runs.example/mlflow/#/experiments/{run.experiment_id}/runs/{run.run_id}"


def test_a_link_that_leads_nowhere_is_a_wrong_setting(server: TrackingServer) -> None:
    with pytest.raises(SettingsError, match="RINGTRUE_MLFLOW_URL"):
        MlflowTracker(MlflowHttp(server.uri), url="runs.example")


def test_surplus_runs_are_deleted_and_the_recorded_one_stays(tracker: MlflowTracker, reader: Reader) -> None:
    record, unrecorded = recorded(finished_job()), recorded(finished_job())
    kept = tracker.log(record, {}).run_id
    experiment_id = reader.run(record.subject).info.experiment_id
    for job_id in (record.subject, unrecorded.subject, unrecorded.subject):
        reader.client.create_run(experiment_id, start_time=record.start_ms - 1, tags={"tts.job_id": job_id})

    def known(job_ids: Collection[str]) -> Mapping[str, str]:
        return {record.subject: kept} if record.subject in job_ids else {}

    assert tracker.reconcile(record.start_ms / 1000 - 60, known) == 1
    assert reader.run(record.subject).info.run_id == kept
    assert len(reader.runs(unrecorded.subject)) == 2
    assert tracker.reconcile(record.start_ms / 1000 - 60, known) == 0


class Starting(BaseHTTPRequestHandler):
    """What stands before a server of ours that is not there yet; without ``Retry-After`` it is just broken."""

    retry_after = True

    def do_POST(self) -> None:
        self.send_response(503)
        if self.retry_after:
            self.send_header("Retry-After", "5")
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, format: str, *args: object) -> None: ...


@pytest.mark.parametrize(("retry_after", "level"), [(True, logging.INFO), (False, logging.WARNING)])
def test_a_server_that_starts_is_no_cause_for_a_warning(
    monkeypatch: pytest.MonkeyPatch, retry_after: bool, level: int
) -> None:
    monkeypatch.setattr(Starting, "retry_after", retry_after)
    with ThreadingHTTPServer(("127.0.0.1", 0), Starting) as answering:
        threading.Thread(target=answering.serve_forever, daemon=True).start()
        with pytest.raises(TrackerUnavailable) as raised:
            MlflowTracker(MlflowHttp(f"http://127.0.0.1:{answering.server_port}")).log(recorded(finished_job()), {})
        answering.shutdown()
    assert raised.value.level == level
