"""What the embedded stack consists of, and what each part needs.

Owns the plan: Redis, MLflow, gateway, worker and scorer with their order and environment. Starts nothing. Which of
Redis, the SQL store and MLflow are given from outside, it is told.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

from services.embedded.child import ChildSpec, answers_http, says
from services.embedded.lifecycle import Plan
from services.embedded.mlflow_server import PREFERRED_PORT, mlflow_spec
from services.embedded.preflight import check_port, free_port
from services.embedded.redis_server import redis_spec
from shared.settings import Settings

_SCORER_BYTES = 3 << 29  # 1.5 GiB: a host of all default metrics holds 0.8 GiB, and the rest needs room as well
_MOST_SCORERS = 8
_EVERYWHERE = {"0.0.0.0": "127.0.0.1", "": "127.0.0.1", "::": "::1"}  # noqa: S104  where to knock, not what to bind


@dataclass(frozen=True, slots=True)
class StackOptions:
    """What `ringtrue up` was asked for."""

    host: str = "127.0.0.1"
    port: int = 8000
    """0: any free one."""
    worker_slots: int | None = None
    """Jobs spoken at once; ``None``: as many as the worker thinks fit (scorers: `scorer_slots_for`)."""
    scorer_slots: int = 1


@dataclass(frozen=True, slots=True)
class Given:
    """Servers that are there already; ``None``: the stack brings its own."""

    redis_url: str | None = None
    mlflow_uri: str | None = None


def scorer_slots_for(cores: int, free_memory: int) -> int:
    """How many clips to measure at once: one per core while each host of metric models has ``_SCORER_BYTES``."""
    return max(1, min(cores, free_memory // _SCORER_BYTES, _MOST_SCORERS))


def plan_stack(options: StackOptions, settings: Settings, given: Given, environ: Mapping[str, str]) -> Plan:
    """Choose ports and lay out the children. `PortUnusable`; ``SettingsError`` where a part is not installed."""
    port = check_port(options.host, options.port)
    specs, redis_url, mlflow_uri = [], given.redis_url, given.mlflow_uri
    if redis_url is None:
        redis_port = free_port()
        specs.append(redis_spec(settings.data / "redis", redis_port))
        redis_url = f"redis://127.0.0.1:{redis_port}/0"
    if mlflow_uri is None:
        mlflow_port = free_port(PREFERRED_PORT)
        specs.append(mlflow_spec(settings.data / "mlflow", mlflow_port))
        mlflow_uri = f"http://127.0.0.1:{mlflow_port}"
    service_env = {
        "RINGTRUE_DATA": str(settings.data),
        "RINGTRUE_DATABASE_URL": settings.database_url,
        "RINGTRUE_REDIS_URL": redis_url,
        "RINGTRUE_BLOBS": str(settings.blobs),
        "RINGTRUE_MODELS": str(settings.models),
        "RINGTRUE_CATALOG": str(settings.catalog),
        "RINGTRUE_ENGINES": str(settings.engines),
        "MLFLOW_TRACKING_URI": mlflow_uri,
        "MLFLOW_DISABLE_TELEMETRY": "true",
        "PYTHONUNBUFFERED": "1",
    }
    specs += _services(options, port, service_env, after=("redis",) if given.redis_url is None else ())
    urls = {"api": _url(options.host, port), "mlflow": without_credentials(mlflow_uri)}
    return Plan(specs=specs, env=environ, urls=urls, welcome=_welcome(urls, settings.data))


def _services(options: StackOptions, port: int, env: Mapping[str, str], after: tuple[str, ...]) -> list[ChildSpec]:
    def service(name: str, *arguments: str) -> tuple[str, ...]:
        return (sys.executable, "-m", f"services.{name}", *arguments)

    host, slots = options.host, options.worker_slots
    gateway = ChildSpec(
        name="gateway",
        argv=service("gateway", "--host", host, "--port", str(port)),
        ready=answers_http(_EVERYWHERE.get(host, host), port, "/readyz"),
        after=after,
        env=env,
    )
    # The gateway first: it brings the store's schema up to date, which is nothing for three to do at once.
    worker = ChildSpec(
        name="worker",
        argv=service("worker", *(() if slots is None else ("--slots", str(slots)))),
        ready=says("ready"),
        after=("gateway",),
        env=env,
        grace_s=15,
    )
    scorer = ChildSpec(
        name="scorer",
        argv=service("scorer", "--slots", str(options.scorer_slots)),
        ready=says("ready"),
        after=("gateway",),
        env=env,
        ready_within_s=300,  # models are loaded, on a cold disk
        grace_s=15,
    )
    return [gateway, worker, scorer]


def _url(host: str, port: int) -> str:
    host = _EVERYWHERE.get(host, host)
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


def without_credentials(url: str) -> str:
    """The URL as it may be shown."""
    parts = urlsplit(url)
    return urlunsplit(parts._replace(netloc=parts.netloc.rpartition("@")[2]))


def _welcome(urls: Mapping[str, str], data: Path) -> str:
    job = json.dumps({"text": "Does this voice ring true?", "pin": "espeak-v2", "emotion": "happy"})
    api = urls["api"]
    return (
        f"\nRingtrue is ready; Ctrl-C stops it.\n\n"
        f"  API     {api}\n  docs    {api}/docs\n  MLflow  {urls['mlflow']}\n  data    {data}\n\n"
        f"Try: curl -s '{api}/v1/jobs' -H 'Content-Type: application/json' -d '{job}'\n"
    )
