"""Sends requests to an MLflow server: the connections, the login and what an answer's status means.

Owns no request of MLflow's API. mlflow's own client is not used, because for every request it tries to import modules
of Databricks and reads all environment variables, which takes more CPU than the request itself.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from http import HTTPStatus
from typing import Any
from urllib.parse import unquote, urlsplit

import httpx

from services.scorer.tracking.runs import TrackerMissing, TrackerRefused, TrackerUnavailable
from shared.errors import SettingsError
from shared.network.http_transports import transport_to

_OVERLOADED = frozenset({408, 429})
_QUOTED = 500
_NOT_THERE = "RESOURCE_DOES_NOT_EXIST"
"""MLflow's error code. A 404 without it comes from something else, such as a proxy."""
_KEPT_S = 20.0
"""A kept connection that was unused for longer is closed: a firewall between may have forgotten it."""


class MlflowHttp:
    """An MLflow server at ``uri``. Safe to call from several threads.

    ``username`` and ``password``, or ``token``: the login; otherwise the one in ``uri``, if any. ``timeout_s``: for
    connecting, for sending and for each part of the answer. ``ca_file``: see `transport_to`. Raises `SettingsError` for
    a URI that is not that of a server, for a proxy or for certificates that cannot be used.
    """

    def __init__(
        self,
        uri: str,
        *,
        username: str | None = None,
        password: str | None = None,
        token: str | None = None,
        timeout_s: float = 30.0,
        ca_file: str | None = None,
    ) -> None:
        self.url = server_address(uri, "MLFLOW_TRACKING_URI")
        parts = urlsplit(uri)
        username, password = username or unquote(parts.username or ""), password or unquote(parts.password or "")
        login = httpx.BasicAuth(username, password) if username and password else None
        headers = {"Authorization": f"Bearer {token}"} if token and login is None else {}
        try:
            httpx.URL(self.url)
            transport = transport_to(self.url, ca_file)
        except httpx.InvalidURL as error:
            raise SettingsError(f"MLFLOW_TRACKING_URI must be the address of a server: {error}") from error
        except OSError as error:
            raise SettingsError(
                f"{ca_file} does not contain certificates of MLflow's server: {error.strerror or error}"
            ) from error
        limits = httpx.Limits(keepalive_expiry=_KEPT_S)
        self._client = httpx.Client(
            transport=transport, auth=login, headers=headers, timeout=timeout_s, limits=limits, trust_env=False
        )

    def json(self, method: str, path: str, *, again: bool = True, **content: Any) -> dict[str, Any]:
        """Send a request and return the JSON object of the answer. Parameters and errors: as `text`."""
        text = self.text(method, path, again=again, **content)
        try:
            answer: dict[str, Any] = json.loads(text)
        except ValueError as error:
            raise TrackerRefused(f"{method} {path}: this is not MLflow: {text[:_QUOTED]}") from error
        return answer

    def text(self, method: str, path: str, *, again: bool = True, **content: Any) -> str:
        """Send a request and return the answer's text. ``content``: as for ``httpx.Client.request``. ``again``: send
        it a second time if its connection was dead, although the server may have done what the first asked for.

        Raises `TrackerUnavailable`, `TrackerRefused` or `TrackerMissing`.
        """
        response = self._answered(method, path, again, content)
        text = response.text
        if response.status_code in _OVERLOADED or response.status_code >= 500:
            # The relay before an embedded server that is starting sends this header; MLflow itself never does.
            starting = response.status_code == HTTPStatus.SERVICE_UNAVAILABLE and "Retry-After" in response.headers
            raise TrackerUnavailable(
                f"{method} {path}: {response.status_code} {text[:_QUOTED].rstrip()}", starting=starting
            )
        if not response.is_success:
            missing = response.status_code == HTTPStatus.NOT_FOUND and _NOT_THERE in text[:_QUOTED]
            kind = TrackerMissing if missing else TrackerRefused
            raise kind(f"{method} {path}: {response.status_code} {text[:_QUOTED]}")
        return text

    def _answered(self, method: str, path: str, again: bool, content: Mapping[str, Any]) -> httpx.Response:
        try:
            try:
                return self._client.request(method, f"{self.url}{path}", **content)
            except (httpx.NetworkError, httpx.RemoteProtocolError):
                if not again:
                    raise
                return self._client.request(method, f"{self.url}{path}", **content)
        except httpx.HTTPError as error:
            raise TrackerUnavailable(f"{method} {self.url}{path}: {error or type(error).__name__}") from error


def server_address(url: str, setting: str) -> str:
    """Return the address of a server without its login: URLs end up in logs and job rows. Raises `SettingsError`."""
    try:
        parts = urlsplit(url)
        readable = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:
        readable = False
    if not readable:
        raise SettingsError(f"{setting} must be the address of a server (http or https)")
    return f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}{parts.path}".rstrip("/")
