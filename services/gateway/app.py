"""The gateway's composition root: reads the environment, puts the parts together, serves them."""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import ctypes
import gc
import logging
import os
import signal
import socket
import sys
import time
from collections.abc import AsyncIterator, Callable, Coroutine, Mapping, Sequence
from importlib.metadata import version
from types import FrameType
from typing import Any

import uvicorn
from fastapi import FastAPI
from redis import Redis

from services.gateway import edge
from services.gateway.auth import check_first_key, check_secrets, is_loopback
from services.gateway.backlog import Backlog
from services.gateway.clips import Digests
from services.gateway.deps import Gateway, Probe
from services.gateway.ears import ChildEars, Ears
from services.gateway.evaluations import Evaluations
from services.gateway.keys import KeyRing
from services.gateway.looks import Looker
from services.gateway.model_files import ModelFiles
from services.gateway.openapi import openapi_of
from services.gateway.pins import PinBoard
from services.gateway.reuse import Reuse
from services.gateway.routes import (
    audio,
    comparisons,
    evaluations,
    gates,
    health,
    jobs,
    models,
    pins,
    problems,
    voices,
)
from services.gateway.studies import Studies
from services.gateway.submit import Intake
from services.gateway.sweeper import PERIOD_S, Sweeper
from services.gateway.voices import Voices
from services.gateway.waiting import Waiters
from shared import logs
from shared.blobs import FolderBlobs
from shared.errors import SettingsError, StoreUnavailable
from shared.events import listen
from shared.keys import KeyStore
from shared.ports import AliasStore, Bells, Blobs, JobStore
from shared.queue import CeleryBells
from shared.settings import Settings, read_settings, unknown_settings
from shared.store.sql import Database, SqlAliasStore, SqlJobStore, SqlKeyStore, SqlStudyStore, SqlVoiceStore, migrate
from shared.studies import StudyStore
from shared.voices import VoiceStore
from shared.weights.store import WeightStore

EX_UNAVAILABLE = 69
EX_CONFIG = 78
_M_ARENA_MAX = -8
_GRACE_S = 10
"""For requests that are being answered when the process is told to stop."""

Background = Callable[[], Coroutine[Any, Any, None]]
"""Something that runs as long as the gateway does."""

log = logging.getLogger("ringtrue.gateway")


def main(argv: Sequence[str] | None = None, environ: Mapping[str, str] | None = None) -> int:
    """Serve until told to stop; returns the exit code."""
    environ = os.environ if environ is None else environ
    parser = argparse.ArgumentParser(prog="python -m services.gateway", description="Jobs over HTTP.")
    parser.add_argument("--host", default="127.0.0.1", help="other than loopback needs keys (default: %(default)s)")
    parser.add_argument("--port", type=int, default=8000)
    parser.add_argument("--sweep-every", type=float, default=PERIOD_S, help="seconds (default: %(default)s)")
    arguments = parser.parse_args(argv)
    logs.set_up("gateway", notices=unknown_settings(environ))
    _share_one_heap()
    try:
        _run(read_settings(environ), arguments.host, arguments.port, arguments.sweep_every)
    except StoreUnavailable as error:
        log.error("cannot start, the store does not answer: %s", error)
        return EX_UNAVAILABLE
    except SettingsError as error:
        log.error("cannot start: %s", error)
        return EX_CONFIG
    return 0


def assemble(
    store: JobStore,
    keys: KeyStore,
    aliases: AliasStore,
    bells: Bells,
    blobs: Blobs,
    *,
    studies: StudyStore,
    voices: VoiceStore,
    recordings: Blobs,
    open_to_local: bool,
    ears: Ears | None = None,
    probes: Mapping[str, Probe] | None = None,
    backlog: Backlog | None = None,
    files: ModelFiles | None = None,
    clock: Callable[[], float] = time.time,
) -> Gateway:
    """The parts of a gateway over its ports. ``open_to_local``: asks for no key until one was made."""
    board, waiters = PinBoard(store.manifests, aliases.last_moves, clock), Waiters()
    uploaded = Voices(voices, recordings, clock)
    intake = Intake(store, bells, board, uploaded, backlog or Backlog(), clock)
    return Gateway(
        store=store,
        bells=bells,
        blobs=blobs,
        keys=KeyRing(keys, clock, open_to_local=open_to_local),
        pins=board,
        intake=intake,
        looker=Looker(store, waiters),
        evaluations=Evaluations(intake, Reuse(store, studies, blobs)),
        studies=Studies(studies, intake, waiters),
        voices=uploaded,
        ears=ears or ChildEars(),
        waiters=waiters,
        digests=Digests(),
        files=files,
        probes={"store": store.ping, **(probes or {})},
        clock=clock,
    )


def create_app(gateway: Gateway, background: Sequence[Background] = ()) -> FastAPI:
    """The ASGI application of a gateway."""

    @contextlib.asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        running = [asyncio.create_task(_watched(task)) for task in background]
        try:
            yield
        finally:
            for task in running:
                task.cancel()
            await asyncio.gather(*running, return_exceptions=True)
            gateway.close()

    app = FastAPI(
        title="Ringtrue", version=version("ringtrue"), lifespan=lifespan, redirect_slashes=False, redoc_url=None
    )
    app.state.gateway = gateway
    for routes in (jobs, audio, evaluations, comparisons, gates, voices, pins, models, health, problems):
        app.router.routes.extend(routes.router.routes)
    edge.install(app)
    app.openapi = openapi_of(app)  # type: ignore[method-assign]
    return app


async def _watched(task: Background) -> None:
    running = asyncio.ensure_future(task())
    try:
        await asyncio.wait([running])
    finally:
        running.cancel()
    log.error("%s ended", getattr(task, "__qualname__", task), exc_info=running.exception())


def _run(settings: Settings, host: str, port: int, sweep_every_s: float) -> None:
    urls = {"RINGTRUE_DATABASE_URL": settings.database_url, "RINGTRUE_REDIS_URL": settings.redis_url}
    check_secrets(settings.published or host, urls)
    listening = _listen_on(host, port)
    database, blobs = _open(settings)
    store, keys = SqlJobStore(database), SqlKeyStore(database)
    if not is_loopback(host) and not keys.any():
        raise SettingsError(f"bound to {host} without any key; make one first: ringtrue keys create NAME")
    check_first_key(settings.published or host, keys)
    bells = CeleryBells(settings.redis_url)
    redis = Redis.from_url(settings.redis_url, socket_timeout=2, socket_connect_timeout=2)
    backlog = Backlog()
    gateway = assemble(
        store,
        keys,
        SqlAliasStore(database),
        bells,
        blobs,
        studies=SqlStudyStore(database),
        voices=SqlVoiceStore(database),
        recordings=FolderBlobs(settings.recordings),
        open_to_local=is_loopback(host),
        probes={"redis": lambda: bool(redis.ping())},
        backlog=backlog,
        files=ModelFiles(WeightStore(settings.models), settings.catalog_lock),
    )
    sweeper = Sweeper(store, bells, backlog, f"{socket.gethostname()}-{os.getpid()}", time.time, sweep_every_s)
    app = create_app(gateway, [sweeper.run, lambda: gateway.waiters.follow(listen(settings.redis_url))])
    try:
        _serve(app, gateway, listening)
    finally:
        bells.close()
        database.close()


def _share_one_heap() -> None:
    """glibc gives each thread a heap of its own; threads that hold the GIL in turn only waste memory by that."""
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt is not None:
        mallopt(_M_ARENA_MAX, 1)


def _listen_on(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        return socket.create_server((host, port), family=family, backlog=2048)
    except OSError as error:
        raise SettingsError(f"cannot listen on {host} port {port}: {error.strerror or error}") from error


def _open(settings: Settings) -> tuple[Database, FolderBlobs]:
    try:
        settings.data.mkdir(parents=True, exist_ok=True)
        blobs = FolderBlobs(settings.blobs)
    except OSError as error:
        raise SettingsError(f"cannot write to {error.filename}: {error.strerror}") from error
    database = Database(settings.database_url)
    migrate(database)
    return database, blobs


def _serve(app: FastAPI, gateway: Gateway, listening: socket.socket) -> None:
    config = uvicorn.Config(
        app,
        loop="uvloop",
        http="httptools",
        ws="none",
        lifespan="on",
        access_log=False,
        log_config=None,
        server_header=False,
        proxy_headers=False,
        timeout_keep_alive=65,
        timeout_graceful_shutdown=_GRACE_S,
    )
    # What was imported stays for good: a collector that looks through it again and again stops everybody for long.
    # And a batch makes tens of thousands of objects that are all needed until it is answered.
    gc.collect()
    gc.freeze()
    gc.set_threshold(10_000, 10, 10)
    # A batch is looked at in a thread; everybody else's request, and the commit of the batch before it, should wait for
    # a short turn of it. Shorter turns cost more in changing than they gain.
    sys.setswitchinterval(0.0003)
    host, port = listening.getsockname()[:2]
    log.info("listening on http://%s:%d", f"[{host}]" if ":" in host else host, port)
    _Server(config, gateway).run(sockets=[listening])


class _Server(uvicorn.Server):
    """Told to stop, it lets go of requests that wait for a job, and ends without dying of the signal."""

    def __init__(self, config: uvicorn.Config, gateway: Gateway) -> None:
        super().__init__(config)
        self._gateway = gateway

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        self._gateway.waiters.close()
        await super().shutdown(sockets)

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:  # noqa: ARG002 (the signature of a handler)
        self.force_exit = self.should_exit and sig == signal.SIGINT
        self.should_exit = True
