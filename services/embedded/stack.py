"""The parts of the embedded stack, and what each part needs.

Owns the plan: Redis, MLflow, gateway, worker and scorer with their order and environment. Starts nothing. The caller
says which of Redis, the SQL store and MLflow exist already.
"""

from __future__ import annotations

import json
import socket
from collections.abc import Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

from services.embedded.lifecycle import Plan
from services.embedded.parts.mlflow_server import listen_for_mlflow, mlflow_spec, relay_spec
from services.embedded.parts.redis_server import redis_spec
from services.embedded.preflight import listen_on
from services.embedded.processes.child import ChildSpec, answers_http, says
from services.embedded.run_folder import run_folder
from shared.network.proxies import without_proxy_here
from shared.network.redis_urls import unix_url
from shared.processes.interpreter import run_module, safe_environment
from shared.settings import Settings

_SCORER_BYTES = 3 << 29  # 1.5 GiB: a host with all default metrics holds 0.8 GiB, and the other parts need room as well
_MOST_SCORERS = 8
_EVERYWHERE = {"0.0.0.0": "127.0.0.1", "::": "::1"}  # noqa: S104  where to connect, not what to bind

_QUIET = {"MLFLOW_DISABLE_TELEMETRY": "true", "ORT_DISABLE_TELEMETRY": "1", "HF_HUB_DISABLE_TELEMETRY": "1"}
"""This machine sends nothing to others unless asked to."""


@dataclass(frozen=True, slots=True)
class StackOptions:
    """The options of `ringtrue up`."""

    host: str = "127.0.0.1"
    port: int = 8000
    """0: any free one."""
    mlflow_port: int | None = None
    """Of the stack's own MLflow. ``None``: that of the last start, at first one from 5000 up. 0: any free one."""
    worker_slots: int | None = None
    """Jobs spoken at once. ``None``: as many as the worker chooses (for scorers see `scorer_slots_for`)."""
    scorer_slots: int = 1
    accept_empty: bool = False
    """Begin with an empty store although there is audio of a lost one."""
    starter: bool = False
    """Pull the starter set meanwhile (`ringtrue models pull starter`)."""


@dataclass(frozen=True, slots=True)
class Given:
    """Servers that exist already. ``None``: the stack brings its own."""

    redis_url: str | None = None
    mlflow_uri: str | None = None


def scorer_slots_for(cores: int, free_memory: int) -> int:
    """Return how many clips to measure at once: one per core, if each host of metric models has ``_SCORER_BYTES``.

    At least 1, at most ``_MOST_SCORERS``. ``free_memory`` is in bytes.
    """
    return max(1, min(cores, free_memory // _SCORER_BYTES, _MOST_SCORERS))


def plan_stack(options: StackOptions, settings: Settings, given: Given, environ: Mapping[str, str]) -> Plan:
    """Bind the ports and plan the children.

    Raises `PortUnusable` or `FolderUnwritable`, and ``SettingsError`` if a part is not installed.
    """
    with ExitStack() as held:
        listening = held.enter_context(listen_on(options.host, options.port))
        run = held.enter_context(run_folder(settings.data))
        redis_url, mlflow_uri = given.redis_url, given.mlflow_uri
        specs = [starter_spec(settings)] if options.starter else []
        if redis_url is None:
            specs.append(redis_spec(settings.data / "redis", run / "redis.sock"))
            redis_url = unix_url(str(run / "redis.sock"))
        if mlflow_uri is None:
            announced = held.enter_context(listen_for_mlflow(settings.data / "mlflow", options.mlflow_port))
            specs.append(mlflow_spec(settings.data / "mlflow", run / "mlflow.sock"))
            specs.append(relay_spec(announced, run / "mlflow.sock"))
            mlflow_uri = _url(announced)
        env = {**_service_env(settings, redis_url, mlflow_uri)}
        specs += _services(options, listening, env, after=("redis",) if given.redis_url is None else ())
        urls = {"api": _url(listening), "mlflow": without_credentials(mlflow_uri)}
        unproxied = without_proxy_here(environ)  # its parts connect to each other directly
        everywhere = {**safe_environment(environ), **unproxied, "TMPDIR": str(run / "tmp"), **_QUIET}
        return Plan(specs, everywhere, urls, _welcome(urls, settings.data), held.pop_all())


def starter_spec(settings: Settings) -> ChildSpec:
    """Return the child that pulls the starter set into the folders of the stack. Nothing waits for it: a registry may
    be away, and a running worker takes the pins when they are there."""
    return ChildSpec(
        name="starter",
        argv=(*run_module("ringtrue"), "models", "pull", "starter"),
        ready=lambda _: False,
        env={
            "RINGTRUE_DATA": str(settings.data),
            "RINGTRUE_MODELS": str(settings.models),
            "RINGTRUE_CATALOG": str(settings.catalog),
            "PYTHONUNBUFFERED": "1",
        },
        ready_within_s=600,
        waited_for=True,
        vital=False,
        once=True,
    )


def _service_env(settings: Settings, redis_url: str, mlflow_uri: str) -> Mapping[str, str]:
    return {
        "RINGTRUE_DATA": str(settings.data),
        "RINGTRUE_DATABASE_URL": settings.database_url,
        "RINGTRUE_REDIS_URL": redis_url,
        "RINGTRUE_BLOBS": str(settings.blobs),
        "RINGTRUE_MODELS": str(settings.models),
        "RINGTRUE_CATALOG": str(settings.catalog),
        "RINGTRUE_ENGINES": str(settings.engines),
        "MLFLOW_TRACKING_URI": mlflow_uri,
        "PYTHONUNBUFFERED": "1",
    }


def _services(
    options: StackOptions, listening: socket.socket, env: Mapping[str, str], after: tuple[str, ...]
) -> list[ChildSpec]:
    def service(name: str, *arguments: str) -> tuple[str, ...]:
        return (*run_module(f"services.{name}"), *arguments)

    slots, fd = options.worker_slots, listening.fileno()
    host, port = _address(listening)
    gateway = ChildSpec(
        name="gateway",
        argv=service("gateway", "--fd", str(fd), *(("--accept-empty",) if options.accept_empty else ())),
        ready=answers_http(host, port, "/readyz"),
        after=after,
        env=env,
        pass_fds=(fd,),
    )
    # The gateway starts first: it updates the store's schema, and three processes must not do that at once.
    worker = ChildSpec(
        name="worker",
        argv=service("worker", *(() if slots is None else ("--slots", str(slots)))),
        ready=says("ready"),
        after=("gateway",),
        env=env,
        grace_s=20,
    )
    scorer = ChildSpec(
        name="scorer",
        argv=service("scorer", "--slots", str(options.scorer_slots)),
        ready=says("ready"),
        after=("gateway",),
        env=env,
        ready_within_s=300,  # models are loaded, on a cold disk
        grace_s=20,
        vital=False,
    )
    return [gateway, worker, scorer]


def _address(listening: socket.socket) -> tuple[str, int]:
    """Return the address by which a process of this machine reaches it."""
    host, port = listening.getsockname()[:2]
    return _EVERYWHERE.get(host, host), port


def _url(listening: socket.socket) -> str:
    host, port = _address(listening)
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


def without_credentials(url: str) -> str:
    """Return the URL without credentials, as it may be shown."""
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
