"""Checks MLflow over HTTP: it answers, accepts the login, and its version fits. Does not import mlflow."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator
from dataclasses import dataclass
from urllib.error import HTTPError, URLError
from urllib.parse import unquote, urlsplit
from urllib.request import Request

from services.doctor.asking import opener_for, without_credentials
from services.doctor.findings import Finding, fail, ok, warn
from shared.errors import SettingsError

_PATIENCE_S = 4.0
_SEARCH = "/api/2.0/mlflow/experiments/search"


@dataclass(frozen=True, slots=True)
class Credentials:
    """The values of MLflow's own variables."""

    username: str | None = None
    password: str | None = None
    token: str | None = None


def own_mlflow(installed: str | None) -> Iterator[Finding]:
    """Report on MLflow if no server was named. ``installed``: the version of mlflow here."""
    if installed:
        yield ok(f"not set: `ringtrue up` starts its own server ({installed})")
    else:
        yield warn(
            "not set, and MLflow is not installed: nothing is tracked",
            "set MLFLOW_TRACKING_URI, or pip install 'ringtrue[scorer]'",
        )


def mlflow(uri: str, credentials: Credentials, installed: str | None) -> Iterator[Finding]:
    """Check the server that MLFLOW_TRACKING_URI names."""
    if urlsplit(uri).scheme not in ("http", "https"):
        yield fail(f"MLFLOW_TRACKING_URI={uri} is not a server", "start `mlflow server` and set its http address")
        return
    shown = without_credentials(uri)
    server = shown.rstrip("/")
    try:
        version = _asked(Request(f"{server}/version")).decode(errors="replace").strip()  # noqa: S310 (http, as seen above)
        searched = _asked(_search(server, uri, credentials))
        json.loads(searched)["experiments"]
    except HTTPError as error:
        yield _refused(shown, error.code)
    except SettingsError as error:
        yield fail(str(error), "correct it, or unset it")
    except (URLError, OSError) as error:
        reason = error.reason if isinstance(error, URLError) else error
        yield fail(f"{shown} does not answer: {reason}", "start it, or correct MLFLOW_TRACKING_URI")
    except (ValueError, KeyError, TypeError):
        yield fail(f"{shown} answers, but it is not MLflow", "correct MLFLOW_TRACKING_URI")
    else:
        yield _compared(shown, version, installed)


def _search(server: str, uri: str, credentials: Credentials) -> Request:
    """Return a request that a server with a login answers only to a known user."""
    request = Request(f"{server}{_SEARCH}", data=b'{"max_results": 1}', method="POST")  # noqa: S310
    request.add_header("Content-Type", "application/json")
    parts = urlsplit(uri)
    user = credentials.username or unquote(parts.username or "")
    password = credentials.password or unquote(parts.password or "")
    if user:
        request.add_header("Authorization", f"Basic {base64.b64encode(f'{user}:{password}'.encode()).decode()}")
    elif credentials.token:
        request.add_header("Authorization", f"Bearer {credentials.token}")
    return request


def _asked(request: Request) -> bytes:
    with opener_for(request.full_url).open(request, timeout=_PATIENCE_S) as answer:
        content: bytes = answer.read(1 << 20)
    return content


def _refused(shown: str, status: int) -> Finding:
    if status in (401, 403):
        return fail(
            f"{shown} refused the login ({status})",
            "set MLFLOW_TRACKING_USERNAME and MLFLOW_TRACKING_PASSWORD, or MLFLOW_TRACKING_TOKEN",
        )
    return fail(f"{shown} answers {status}", "correct MLFLOW_TRACKING_URI, or repair the server")


def _compared(shown: str, version: str, installed: str | None) -> Finding:
    if installed and version.partition(".")[0] != installed.partition(".")[0]:
        return warn(
            f"{shown} is MLflow {version}, but {installed} is installed here",
            "use the same major version on both sides",
        )
    return ok(f"{shown} answers, MLflow {version}")
