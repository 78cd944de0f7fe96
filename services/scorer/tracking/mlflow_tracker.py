"""The tracker for MLflow, over its REST API.

Owns the requests and their number. mlflow_http.py sends them. run_record.py and study_records.py decide what a run
says, one_run.py that there is one per job, run_search.py how it is found again. MLflow's fluent and client APIs cost a
request per param and a second connection per file.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import replace
from typing import Any
from urllib.parse import urlsplit

from services.scorer.tracking.experiments import Experiments
from services.scorer.tracking.mlflow_http import MlflowHttp, server_address
from services.scorer.tracking.one_run import OneRun, RunKey, ServerRun
from services.scorer.tracking.registry import ModelRegistry
from services.scorer.tracking.run_search import RunSearch, run_of
from services.scorer.tracking.runs import (
    CURRENT_LIMITS,
    Keep,
    Logged,
    RunRecord,
    TrackerLimits,
    TrackerMissing,
    TrackerRefused,
)

_API = "/api/2.0/mlflow/"
_FILES = "/api/2.0/mlflow-artifacts/artifacts"
MAX_EXPERIMENT_TAG_CHARS = 20_000
MAX_PARAMS_PER_BATCH = 100
"""Limits of MLflow 3, as those in `CURRENT_LIMITS`."""
_UPSERTS = frozenset({"runs/log-batch", "experiments/set-experiment-tag"})
"""Requests that are sent a second time when they are refused.

MLflow looks for a row and then adds it. If two clients do so at once, one is refused. The second time it finds the row
and accepts the request.
"""

log = logging.getLogger(__name__)


class MlflowTracker:
    """Keeps runs in MLflow. Implements `runs.StudyTracker`. Safe to call from several threads.

    ``url``: where people reach the server, for links, if it differs from the one of ``http``. ``most_found``: if a
    search for several jobs finds more runs than this, each job is searched for separately. Raises `SettingsError` for a
    URL that leads nowhere.
    """

    def __init__(self, http: MlflowHttp, *, url: str | None = None, most_found: int = 64) -> None:
        self._server = MlflowServer(http, most_found)
        self._url = http.url if url is None else server_address(url, "RINGTRUE_MLFLOW_URL")
        self._experiments = Experiments(self._server, MAX_EXPERIMENT_TAG_CHARS)
        self._one_run = OneRun(self._server)
        self.registry = ModelRegistry(self._server)

    @property
    def limits(self) -> TrackerLimits:
        return CURRENT_LIMITS

    def log(
        self, record: RunRecord, files: Mapping[str, bytes], *, still_sole: Callable[[], bool] | None = None
    ) -> Logged:
        def write(experiment_id: str) -> ServerRun:
            return self._one_run.write(experiment_id, record, files, still_sole=still_sole)

        return self._logged(self._experiments.within(record.experiment, write, record.environment))

    def begin(self, record: RunRecord, keep: Keep) -> Logged:
        def begin(experiment_id: str) -> Logged:
            return self._one_run.begin(experiment_id, record, lambda run: keep(self._logged(run)))

        return self._experiments.within(record.experiment, begin)

    def complete(self, run_id: str, record: RunRecord, files: Mapping[str, bytes]) -> None:
        self._brought_back(run_id)
        self._one_run.complete(run_id, record, files)

    def add(self, run_id: str, files: Mapping[str, bytes], tags: Mapping[str, str]) -> None:
        self._server.add(self._brought_back(run_id), files, tags)

    def _brought_back(self, run_id: str) -> ServerRun:
        """Return the run, after restoring it if somebody deleted it, or its experiment with all its runs."""
        run = self._server.read(run_id)
        if not run.deleted:
            return run
        self._experiments.bring_back(run.experiment_id)
        self._server.restore(run_id)
        log.warning(
            "run %s of %s was deleted in MLflow and is restored, because more data belongs to it", run_id, run.subject
        )
        return replace(run, deleted=False)

    def _logged(self, run: ServerRun) -> Logged:
        return Logged(run.run_id, f"{self._url}/#/experiments/{run.experiment_id}/runs/{run.run_id}")

    def reconcile(self, since: float, recorded: Callable[[Collection[str]], Mapping[str, str]]) -> int:
        """Delete the surplus runs of jobs and evaluations that started after ``since`` (epoch seconds). Return how
        many.

        ``recorded``: returns, for those of the ids whose run is recorded, the id of that run. The others are still
        being logged, which removes their surplus runs itself.
        """
        runs: dict[str, dict[str, ServerRun]] = {}
        for run in self._server.runs.started_since(since):
            runs.setdefault(run.subject, {})[run.run_id] = run
        doubled = {subject: found for subject, found in runs.items() if len(found) > 1}
        deleted = 0
        for subject, run_id in (recorded(doubled) if doubled else {}).items():
            if run_id in doubled[subject]:
                self._one_run.settle(list(doubled[subject].values()), recorded=run_id)
                deleted += len(doubled[subject]) - 1
        return deleted


class MlflowServer:
    """Sends the requests. Implements `one_run.RunServer` and `registry.Requests`."""

    def __init__(self, http: MlflowHttp, most_found: int) -> None:
        self._http = http
        self.runs = RunSearch(self.post, most_found)

    def search(self, keys: Collection[RunKey]) -> Mapping[RunKey, Sequence[ServerRun]]:
        return self.runs.search(keys)

    def create(self, experiment_id: str, record: RunRecord) -> ServerRun:
        body = {"experiment_id": experiment_id, "start_time": record.start_ms, "run_name": record.name}
        answer = self._http.json("POST", f"{_API}runs/create", again=False, json={**body, "tags": _pairs(record.tags)})
        return replace(run_of(answer["run"]), new=True)

    def complete(self, run: ServerRun, record: RunRecord, files: Mapping[str, bytes]) -> None:
        params, tags = _pairs(record.params), [] if run.new else _pairs(record.tags)
        metrics = [{"key": k, "value": v, "timestamp": record.end_ms, "step": 0} for k, v in record.metrics.items()]
        for start in range(0, max(len(params), 1), MAX_PARAMS_PER_BATCH):
            part = params[start : start + MAX_PARAMS_PER_BATCH]
            batch = {"run_id": run.run_id, "params": part, "metrics": metrics, "tags": tags}
            self.post("runs/log-batch", batch)
            metrics, tags = [], []
        for path, content in files.items():
            self._upload(run, path, content)
        self.post("runs/update", {"run_id": run.run_id, "status": record.status.value, "end_time": record.end_ms})

    def add(self, run: ServerRun, files: Mapping[str, bytes], tags: Mapping[str, str]) -> None:
        """Add files, then tags, so that a tag never names a file that is missing."""
        for path, content in files.items():
            self._upload(run, path, content)
        if tags:
            self.post("runs/log-batch", {"run_id": run.run_id, "tags": _pairs(tags)})

    def _upload(self, run: ServerRun, path: str, content: bytes) -> None:
        place = urlsplit(run.artifact_uri)
        if place.scheme != "mlflow-artifacts":
            raise TrackerRefused(
                f"MLflow stores files at {run.artifact_uri}, not through its server; start it with --serve-artifacts"
            )
        self._http.text("PUT", f"{_FILES}{place.path}/{path}", content=content)

    def read(self, run_id: str) -> ServerRun:
        return run_of(self.get("runs/get", {"run_id": run_id})["run"])

    def delete(self, run_id: str) -> None:
        self.post("runs/delete", {"run_id": run_id})

    def restore(self, run_id: str) -> None:
        self.post("runs/restore", {"run_id": run_id})

    def post(self, path: str, body: Mapping[str, Any]) -> dict[str, Any]:
        try:
            return self._http.json("POST", _API + path, json=body)
        except TrackerRefused as error:
            if isinstance(error, TrackerMissing) or path not in _UPSERTS:
                raise
            return self._http.json("POST", _API + path, json=body)

    def get(self, path: str, query: Mapping[str, Any]) -> dict[str, Any]:
        return self._http.json("GET", _API + path, params=query)


def _pairs(values: Mapping[str, str]) -> list[dict[str, str]]:
    return [{"key": key, "value": value} for key, value in values.items()]
