"""The tracking server: MLflow over its REST API. The only module that imports mlflow.

Owns the requests, their number and what their errors mean. What a run says is decided in run_record.py and
study_records.py, that there is one per job in one_run.py, how it is found again in run_search.py. The fluent and the
client API cost a request per param and a second connection per file; the requests here go through mlflow's own
`http_request`, so that its pooled connections, its ways of authentication and its TLS settings hold.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import replace
from typing import Any
from urllib.parse import unquote, urlsplit

from mlflow.exceptions import MlflowException
from mlflow.utils.rest_utils import MlflowHostCreds, http_request
from mlflow.utils.validation import (
    MAX_EXPERIMENT_TAG_VAL_LENGTH,
    MAX_PARAM_VAL_LENGTH,
    MAX_PARAMS_TAGS_PER_BATCH,
    MAX_TAG_VAL_LENGTH,
)

from services.scorer.one_run import OneRun, Run, RunKey
from services.scorer.registry import ModelRegistry
from services.scorer.run_search import RunSearch, run_of
from services.scorer.runs import EnvironmentNote, Keep, Limits, Logged, RunRecord, TrackerRefused, TrackerUnavailable
from shared.errors import SettingsError

_API = "/api/2.0/mlflow/"
_FILES = "/api/2.0/mlflow-artifacts/artifacts"
_OVERLOADED = frozenset({408, 429})
_QUOTED = 500


class MlflowTracker:
    """Keeps runs in MLflow. Implements ``services.scorer.runs.StudyTracker``; safe to call from several threads.

    ``url``: where people reach the server, for links, where it is not ``uri``.
    ``username`` and ``password``, or ``token``: as in MLflow's own variables ``MLFLOW_TRACKING_USERNAME``,
    ``_PASSWORD`` and ``_TOKEN``, or in the URI. ``timeout_s``: of one request. ``most_found``: more runs than this from
    a search for several jobs, and each job is searched for alone. Raises `SettingsError` for a URI that is no
    server's."""

    def __init__(
        self,
        uri: str,
        *,
        url: str | None = None,
        username: str | None = None,
        password: str | None = None,
        token: str | None = None,
        timeout_s: float = 30.0,
        most_found: int = 64,
    ) -> None:
        credentials = _credentials(uri, username, password, token)
        self._server = MlflowServer(credentials, timeout_s, most_found)
        self._url = credentials.host if url is None else _address(url, "RINGTRUE_MLFLOW_URL")
        self._one_run = OneRun(self._server)
        self.registry = ModelRegistry(self._server)

    @property
    def limits(self) -> Limits:
        return Limits(param=MAX_PARAM_VAL_LENGTH, tag=MAX_TAG_VAL_LENGTH)

    def log(self, record: RunRecord, files: Mapping[str, bytes]) -> Logged:
        experiment_id = self._server.experiment(record.experiment)
        if record.environment is not None:
            self._server.describe(experiment_id, record.environment)
        return self._logged(self._one_run.write(experiment_id, record, files))

    def begin(self, record: RunRecord, keep: Keep) -> Logged:
        return self._one_run.begin(self._server.experiment(record.experiment), record, lambda r: keep(self._logged(r)))

    def complete(self, run_id: str, record: RunRecord, files: Mapping[str, bytes]) -> None:
        self._one_run.complete(run_id, record, files)

    def add(self, run_id: str, files: Mapping[str, bytes], tags: Mapping[str, str]) -> None:
        self._server.add(self._server.read(run_id), files, tags)

    def _logged(self, run: Run) -> Logged:
        return Logged(run.run_id, f"{self._url}/#/experiments/{run.experiment_id}/runs/{run.run_id}")

    def reconcile(self, since: float, recorded: Callable[[Collection[str]], Mapping[str, str]]) -> int:
        """Delete the surplus runs of jobs and evaluations that started since ``since`` (epoch seconds); how many.

        ``recorded``: of these ids, those whose run is recorded, with its id. Others are still being logged and are left
        to that."""
        runs: dict[str, dict[str, Run]] = {}
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
    """The requests. Implements ``services.scorer.one_run.RunServer`` and ``services.scorer.registry.Requests``."""

    def __init__(self, credentials: MlflowHostCreds, timeout_s: float, most_found: int) -> None:
        self._credentials = credentials
        self._timeout_s = timeout_s
        self.runs = RunSearch(self.post, most_found)
        self._lock = threading.Lock()
        self._experiments: dict[str, str] = {}
        self._described: set[tuple[str, str]] = set()

    def experiment(self, name: str) -> str:
        """Id of an experiment, created where there is none; no request once it is known."""
        with self._lock:
            if name not in self._experiments:
                self._experiments[name] = self._found_experiment(name) or self._created_experiment(name)
            return self._experiments[name]

    def _found_experiment(self, name: str) -> str | None:
        query = {"filter": f"name = '{name}'", "max_results": 1}
        found = self.post("experiments/search", query).get("experiments", [])
        return str(found[0]["experiment_id"]) if found else None

    def _created_experiment(self, name: str) -> str:
        try:
            return str(self.post("experiments/create", {"name": name})["experiment_id"])
        except TrackerRefused:
            experiment_id = self._found_experiment(name)  # somebody else was quicker
            if experiment_id is None:
                raise
            return experiment_id

    def describe(self, experiment_id: str, environment: EnvironmentNote) -> None:
        """Write an environment's description to the experiment, once."""
        key = (experiment_id, environment.id)
        with self._lock:
            if key in self._described:
                return
            value = environment.description[:MAX_EXPERIMENT_TAG_VAL_LENGTH]
            tag = {"key": f"tts.environment.{environment.id}", "value": value}
            self.post("experiments/set-experiment-tag", {"experiment_id": experiment_id, **tag})
            self._described.add(key)

    def search(self, keys: Collection[RunKey]) -> Mapping[RunKey, Sequence[Run]]:
        return self.runs.search(keys)

    def create(self, experiment_id: str, record: RunRecord) -> Run:
        body = {"experiment_id": experiment_id, "start_time": record.start_ms, "run_name": record.name}
        try:
            answer = self.post("runs/create", {**body, "tags": _pairs(record.tags)})
        except TrackerRefused:
            with self._lock:  # it may have been deleted, and another of that name be there the next time
                self._experiments.pop(record.experiment, None)
            raise
        return replace(run_of(answer["run"]), new=True)

    def complete(self, run: Run, record: RunRecord, files: Mapping[str, bytes]) -> None:
        params, tags = _pairs(record.params), [] if run.new else _pairs(record.tags)
        metrics = [{"key": k, "value": v, "timestamp": record.end_ms, "step": 0} for k, v in record.metrics.items()]
        for start in range(0, max(len(params), 1), MAX_PARAMS_TAGS_PER_BATCH):
            part = params[start : start + MAX_PARAMS_TAGS_PER_BATCH]
            batch = {"run_id": run.run_id, "params": part, "metrics": metrics, "tags": tags}
            self._log_batch(batch)
            metrics, tags = [], []
        for path, content in files.items():
            self._upload(run, path, content)
        self.post("runs/update", {"run_id": run.run_id, "status": record.status.value, "end_time": record.end_ms})

    def _log_batch(self, batch: Mapping[str, Any]) -> None:
        try:
            self.post("runs/log-batch", batch)
        except TrackerRefused:  # so is a batch that met its like, from another logger of this run; the second time it
            self.post("runs/log-batch", batch)  # finds everything written, and is taken

    def add(self, run: Run, files: Mapping[str, bytes], tags: Mapping[str, str]) -> None:
        """Files first, so that a tag never tells of what is not there."""
        for path, content in files.items():
            self._upload(run, path, content)
        if tags:
            self.post("runs/log-batch", {"run_id": run.run_id, "tags": _pairs(tags)})

    def _upload(self, run: Run, path: str, content: bytes) -> None:
        place = urlsplit(run.artifact_uri)
        if place.scheme != "mlflow-artifacts":
            raise TrackerRefused(f"files go to {run.artifact_uri}, past the server: start it with --serve-artifacts")
        self._request("PUT", f"{_FILES}{place.path}/{path}", data=content)

    def read(self, run_id: str) -> Run:
        return run_of(self.get("runs/get", {"run_id": run_id})["run"])

    def delete(self, run_id: str) -> None:
        self.post("runs/delete", {"run_id": run_id})

    def restore(self, run_id: str) -> None:
        self.post("runs/restore", {"run_id": run_id})

    def post(self, path: str, body: Mapping[str, Any]) -> dict[str, Any]:
        return self._json("POST", _API + path, json=body)

    def get(self, path: str, query: Mapping[str, Any]) -> dict[str, Any]:
        return self._json("GET", _API + path, params=query)

    def _json(self, method: str, endpoint: str, **content: Any) -> dict[str, Any]:
        text = self._request(method, endpoint, **content)
        try:
            answer: dict[str, Any] = json.loads(text)
        except ValueError as error:
            raise TrackerRefused(f"{method} {endpoint}: not an answer of MLflow: {text[:_QUOTED]}") from error
        return answer

    def _request(self, method: str, endpoint: str, **content: Any) -> str:
        """One request, sent again at once where a kept connection turned out dead: every one may be repeated."""
        try:
            response = http_request(  # type: ignore[no-untyped-call]
                self._credentials,
                endpoint,
                method,
                max_retries=1,
                backoff_factor=0,
                retry_codes=frozenset(),
                raise_on_status=False,
                timeout=self._timeout_s,
                **content,
            )
        except MlflowException as error:
            raise TrackerUnavailable(str(error)) from error
        text: str = response.text
        if response.status_code in _OVERLOADED or response.status_code >= 500:
            raise TrackerUnavailable(f"{method} {endpoint}: {response.status_code} {text[:_QUOTED]}")
        if response.status_code >= 400:
            raise TrackerRefused(f"{method} {endpoint}: {response.status_code} {text[:_QUOTED]}")
        return text


def _credentials(uri: str, username: str | None, password: str | None, token: str | None) -> MlflowHostCreds:
    """The server and who we are there."""
    parts = urlsplit(uri)
    return MlflowHostCreds(  # type: ignore[no-untyped-call]
        _address(uri, "MLFLOW_TRACKING_URI"),
        username=username or unquote(parts.username or "") or None,
        password=password or unquote(parts.password or "") or None,
        token=token,
    )


def _address(url: str, setting: str) -> str:
    """The address of a server, without a password that it may have: URLs end up in logs and job rows."""
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise SettingsError(f"{setting} is to be the address of a server: http or https")
    return f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}{parts.path}".rstrip("/")


def _pairs(values: Mapping[str, str]) -> list[dict[str, str]]:
    return [{"key": key, "value": value} for key, value in values.items()]
