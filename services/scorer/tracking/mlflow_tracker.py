"""The tracker for MLflow, over its REST API. The only module that imports mlflow.

Owns the requests, their number and what their errors mean. run_record.py and study_records.py decide what a run says,
one_run.py that there is one per job, run_search.py how it is found again. MLflow's fluent and client APIs cost a
request per param and a second connection per file. The requests here use mlflow's own `http_request`, so its pooled
connections, its ways of authentication and its TLS settings apply.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import replace
from http import HTTPStatus
from importlib import import_module
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

from services.scorer.tracking.experiments import Experiments
from services.scorer.tracking.one_run import OneRun, RunKey, ServerRun
from services.scorer.tracking.registry import ModelRegistry
from services.scorer.tracking.run_search import RunSearch, run_of
from services.scorer.tracking.runs import (
    Keep,
    Logged,
    RunRecord,
    TrackerLimits,
    TrackerMissing,
    TrackerRefused,
    TrackerUnavailable,
)
from shared.errors import SettingsError
from shared.network.proxies import made_for, proxy_for

_API = "/api/2.0/mlflow/"
_FILES = "/api/2.0/mlflow-artifacts/artifacts"
_OVERLOADED = frozenset({408, 429})
_QUOTED = 500
_UPSERTS = frozenset({"runs/log-batch", "experiments/set-experiment-tag"})
"""Requests that are sent a second time when they are refused.

MLflow looks for a row and then adds it. If two clients do so at once, one is refused. The second time it finds the row
and accepts the request.
"""
_NOT_THERE = "RESOURCE_DOES_NOT_EXIST"
"""MLflow's error code. A 404 without it comes from something else, such as a proxy."""

log = logging.getLogger(__name__)


class MlflowTracker:
    """Keeps runs in MLflow. Implements `runs.StudyTracker`. Safe to call from several threads.

    ``url``: where people reach the server, for links, if it differs from ``uri``. ``username`` and ``password``, or
    ``token``: as in MLflow's own variables ``MLFLOW_TRACKING_USERNAME``, ``_PASSWORD`` and ``_TOKEN``, or in the URI.
    ``timeout_s``: for one request. ``most_found``: if a search for several jobs finds more runs than this, each job is
    searched for separately. Raises `SettingsError` for a URI that is not that of a server, or one behind a proxy that
    cannot be used.
    """

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
        self._experiments = Experiments(self._server, MAX_EXPERIMENT_TAG_VAL_LENGTH)
        self._one_run = OneRun(self._server)
        self.registry = ModelRegistry(self._server)

    @property
    def limits(self) -> TrackerLimits:
        return TrackerLimits(param=MAX_PARAM_VAL_LENGTH, tag=MAX_TAG_VAL_LENGTH)

    def log(self, record: RunRecord, files: Mapping[str, bytes], *, first: bool = False) -> Logged:
        def write(experiment_id: str) -> ServerRun:
            return self._one_run.write(experiment_id, record, files, first=first)

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

    def __init__(self, credentials: MlflowHostCreds, timeout_s: float, most_found: int) -> None:
        self._credentials = credentials
        self._proxies = _proxies_to(credentials.host)
        self._timeout_s = timeout_s
        self.runs = RunSearch(self.post, most_found)

    def search(self, keys: Collection[RunKey]) -> Mapping[RunKey, Sequence[ServerRun]]:
        return self.runs.search(keys)

    def create(self, experiment_id: str, record: RunRecord) -> ServerRun:
        body = {"experiment_id": experiment_id, "start_time": record.start_ms, "run_name": record.name}
        answer = self.post("runs/create", {**body, "tags": _pairs(record.tags)})
        return replace(run_of(answer["run"]), new=True)

    def complete(self, run: ServerRun, record: RunRecord, files: Mapping[str, bytes]) -> None:
        params, tags = _pairs(record.params), [] if run.new else _pairs(record.tags)
        metrics = [{"key": k, "value": v, "timestamp": record.end_ms, "step": 0} for k, v in record.metrics.items()]
        for start in range(0, max(len(params), 1), MAX_PARAMS_TAGS_PER_BATCH):
            part = params[start : start + MAX_PARAMS_TAGS_PER_BATCH]
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
        self._request("PUT", f"{_FILES}{place.path}/{path}", data=content)

    def read(self, run_id: str) -> ServerRun:
        return run_of(self.get("runs/get", {"run_id": run_id})["run"])

    def delete(self, run_id: str) -> None:
        self.post("runs/delete", {"run_id": run_id})

    def restore(self, run_id: str) -> None:
        self.post("runs/restore", {"run_id": run_id})

    def post(self, path: str, body: Mapping[str, Any]) -> dict[str, Any]:
        try:
            return self._json("POST", _API + path, json=body)
        except TrackerRefused as error:
            if isinstance(error, TrackerMissing) or path not in _UPSERTS:
                raise
            return self._json("POST", _API + path, json=body)

    def get(self, path: str, query: Mapping[str, Any]) -> dict[str, Any]:
        return self._json("GET", _API + path, params=query)

    def _json(self, method: str, endpoint: str, **content: Any) -> dict[str, Any]:
        text = self._request(method, endpoint, **content)
        try:
            answer: dict[str, Any] = json.loads(text)
        except ValueError as error:
            raise TrackerRefused(f"{method} {endpoint}: this is not MLflow: {text[:_QUOTED]}") from error
        return answer

    def _request(self, method: str, endpoint: str, **content: Any) -> str:
        """Send one request, and send it again at once if a kept connection was dead: all requests may be repeated."""
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
                proxies=dict(self._proxies),  # it writes into the mapping that it gets
                **content,
            )
        except MlflowException as error:
            raise TrackerUnavailable(str(error)) from error
        text: str = response.text
        if response.status_code in _OVERLOADED or response.status_code >= 500:
            # The relay before an embedded server that is starting sends this header; MLflow itself never does.
            starting = response.status_code == HTTPStatus.SERVICE_UNAVAILABLE and "Retry-After" in response.headers
            raise TrackerUnavailable(
                f"{method} {endpoint}: {response.status_code} {text[:_QUOTED].rstrip()}", starting=starting
            )
        if response.status_code >= 400:
            missing = response.status_code == HTTPStatus.NOT_FOUND and _NOT_THERE in text[:_QUOTED]
            kind = TrackerMissing if missing else TrackerRefused
            raise kind(f"{method} {endpoint}: {response.status_code} {text[:_QUOTED]}")
        return text


def _proxies_to(address: str) -> dict[str, str]:
    """Return the proxy to the server in the form of ``requests``. An empty URL means that there is none.

    Without an entry ``requests`` would send even this machine's traffic through a proxy, which must not see texts and
    clips. Raises `SettingsError`.
    """
    proxy = proxy_for(address)
    if proxy is not None and proxy.socks:
        with made_for(proxy, "requests"):
            import_module("socks")
    return dict.fromkeys(("http", "https"), proxy.url if proxy else "")


def _credentials(uri: str, username: str | None, password: str | None, token: str | None) -> MlflowHostCreds:
    """Return the server with the login for it."""
    parts = urlsplit(uri)
    return MlflowHostCreds(  # type: ignore[no-untyped-call]
        _address(uri, "MLFLOW_TRACKING_URI"),
        username=username or unquote(parts.username or "") or None,
        password=password or unquote(parts.password or "") or None,
        token=token,
    )


def _address(url: str, setting: str) -> str:
    """Return the address of a server without its password: URLs end up in logs and job rows."""
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise SettingsError(f"{setting} must be the address of a server (http or https)")
    return f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}{parts.path}".rstrip("/")


def _pairs(values: Mapping[str, str]) -> list[dict[str, str]]:
    return [{"key": key, "value": value} for key, value in values.items()]
