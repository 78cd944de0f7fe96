"""The gateway's composition root: it reads the environment, builds the parts and serves them."""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import ctypes
import gc
import logging
import os
import socket
import sys
import time
from collections.abc import AsyncIterator, Callable, Coroutine, Mapping, Sequence
from dataclasses import replace
from importlib.metadata import version
from typing import Any

from fastapi import FastAPI
from redis import Redis
from starlette.applications import Starlette

from services.gateway.auth import check_first_key, check_secrets, is_loopback
from services.gateway.databases import Databases, Lists
from services.gateway.deps import Gateway, Probe
from services.gateway.http import edge
from services.gateway.jobs.job_reader import JobReader
from services.gateway.jobs.submit import Intake
from services.gateway.keys import KeyRing
from services.gateway.models.model_files import ModelFiles
from services.gateway.models.pins import PinBoard
from services.gateway.openapi.document import openapi_of
from services.gateway.routes import (
    audio,
    comparisons,
    evaluations,
    gates,
    health,
    jobs,
    models,
    pages,
    pins,
    problems,
    voices,
)
from services.gateway.server.serving import serve
from services.gateway.sharing.backlog import MAX_QUEUED_JOBS, Backlog
from services.gateway.sharing.pools import Pools
from services.gateway.sharing.waiting import Waiters
from services.gateway.studies.evaluations import EvaluationIntake
from services.gateway.studies.reuse import Reuse
from services.gateway.studies.studies import Studies, states_of
from services.gateway.sweeper import PERIOD_S, Sweeper
from services.gateway.voices.upload_decoder import ChildUploadDecoder, UploadDecoder
from services.gateway.voices.voices import UploadedVoices, VoiceRoom
from shared import metric_families
from shared.aliases import AliasStore
from shared.blobs import local_folders, open_blobs
from shared.errors import SettingsError, StoreUnavailable
from shared.files.private_folder import keep_private
from shared.keys import KeyStore
from shared.messages.events import Listener
from shared.messages.queue import CeleryWakeUps
from shared.ports import Blobs, JobStore, WakeUps
from shared.processes import logs
from shared.settings import Settings, read_settings, unknown_settings
from shared.store.sql import (
    ACCEPT_EMPTY,
    Database,
    DatabaseClock,
    SqlAliasStore,
    SqlJobStore,
    SqlKeyStore,
    SqlStudyStore,
    SqlVoiceStore,
    open_database,
)
from shared.studies import StudyStore
from shared.voices import VoiceShare, VoiceStore
from shared.weights.store import WeightStore

EX_UNAVAILABLE = 69
EX_CONFIG = 78
_M_ARENA_MAX = -8
_FIRST_PAUSE_S, _LONGEST_PAUSE_S = 0.5, 30.0
"""Seconds to pause before a background task is started again: the first pause and the longest."""

Background = Callable[[], Coroutine[Any, Any, None]]
"""A task that runs as long as the gateway does."""

log = logging.getLogger("ringtrue.gateway")


def main(argv: Sequence[str] | None = None, environ: Mapping[str, str] | None = None) -> int:
    """Serve until told to stop. Return the exit code: 0, 69 if the store does not answer, 78 for wrong settings."""
    environ = os.environ if environ is None else environ
    parser = argparse.ArgumentParser(prog="python -m services.gateway", description="The gateway: jobs over HTTP.")
    parser.add_argument(
        "--host",
        default="127.0.0.1",
        help="address to listen on; an address other than loopback needs API keys (default: %(default)s)",
    )
    parser.add_argument("--port", type=int, default=8000)
    parser.add_argument("--fd", type=int, help="file descriptor of a listening socket, instead of --host and --port")
    parser.add_argument(
        "--sweep-every", type=float, default=PERIOD_S, help="seconds between two sweeps (default: %(default)s)"
    )
    parser.add_argument("--accept-empty", action="store_true", help=ACCEPT_EMPTY)
    arguments = parser.parse_args(argv)
    logs.set_up("gateway", notices=[*unknown_settings(environ), *metric_families.refused()])
    _share_one_heap()
    try:
        listening = _listening(arguments.host, arguments.port, arguments.fd)
        _run(read_settings(environ), listening, arguments.sweep_every, accept_empty=arguments.accept_empty)
    except StoreUnavailable as error:
        log.error("cannot start: the database does not answer: %s", error)
        return EX_UNAVAILABLE
    except SettingsError as error:
        log.error("cannot start: %s", error)
        return EX_CONFIG
    return 0


def assemble(
    store: JobStore,
    keys: KeyStore,
    aliases: AliasStore,
    wake_ups: WakeUps,
    blobs: Blobs,
    *,
    studies: StudyStore,
    voices: VoiceStore,
    recordings: Blobs,
    open_to_local: bool,
    lists: Lists | None = None,
    decoder: UploadDecoder | None = None,
    probes: Mapping[str, Probe] | None = None,
    most_queued: int = MAX_QUEUED_JOBS,
    files: ModelFiles | None = None,
    clock: Callable[[], float] = time.time,
    room: VoiceRoom | None = None,
) -> Gateway:
    """Build the parts of a gateway on its ports. ``open_to_local``: ask for no key until the first one is made."""
    pools, lists = Pools(), lists or Lists(store, studies, voices)
    uploaded = UploadedVoices(voices, lists.voices, recordings, clock, pools, room)
    intake = _intake(store, wake_ups, aliases, uploaded, pools, most_queued, clock)
    waiters = Waiters(lambda ids: states_of(ids, store, studies))
    return Gateway(
        store=store,
        wake_ups=wake_ups,
        blobs=blobs,
        keys=KeyRing(keys, clock, open_to_local=open_to_local),
        intake=intake,
        looker=JobReader(store, lists.jobs, waiters, pools.listing),
        evaluations=EvaluationIntake(intake, Reuse(store, studies, blobs)),
        studies=Studies(studies, lists.studies, intake, waiters, pools),
        voices=uploaded,
        decoder=decoder or ChildUploadDecoder(),
        waiters=waiters,
        pools=pools,
        files=files,
        probes={"store": store.ping, **(probes or {})},
    )


def _intake(
    store: JobStore,
    wake_ups: WakeUps,
    aliases: AliasStore,
    voices: UploadedVoices,
    pools: Pools,
    most_queued: int,
    clock: Callable[[], float],
) -> Intake:
    board = PinBoard(store.manifests, aliases.last_moves, clock)
    backlog = Backlog(store.queued_by_user, most_queued)
    return Intake(store, wake_ups, board, voices, backlog, pools.checking, clock)


def create_app(gateway: Gateway, background: Sequence[Background] = ()) -> FastAPI:
    """Return the ASGI application of a gateway. ``background``: tasks to run as long as it does."""

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

    app = _Gateway(
        title="Ringtrue", version=version("ringtrue"), lifespan=lifespan, redirect_slashes=False, openapi_url=None
    )
    app.state.gateway = gateway
    app.state.pages = pages.Pages()
    for routes in (jobs, audio, evaluations, comparisons, gates, voices, pins, models, health, problems, pages):
        app.router.routes.extend(routes.router.routes)
    app.router.routes.extend(edge.heads_of(app.router.routes))
    edge.install(app)
    app.openapi = openapi_of(app)  # type: ignore[method-assign]
    return app


class _Gateway(FastAPI):
    """FastAPI without its own middleware around every request.

    This gateway limits bodies itself, no route has one of FastAPI's forms with files to close, and nothing uses its
    telemetry."""

    build_middleware_stack = Starlette.build_middleware_stack


async def _watched(task: Background) -> None:
    """Run a background task forever. It should never end; if it does, log that and start it again after a pause.

    The pause doubles up to the longest one. It starts over after a run that lasted longer than that."""
    pause_s = _FIRST_PAUSE_S
    while True:
        began, running = time.monotonic(), asyncio.ensure_future(task())
        try:
            await asyncio.wait([running])
        finally:
            running.cancel()
        why = None if running.cancelled() else running.exception()
        log.error("%s ended unexpectedly; starting it again", getattr(task, "__qualname__", task), exc_info=why)
        pause_s = _FIRST_PAUSE_S if time.monotonic() - began > _LONGEST_PAUSE_S else pause_s
        await asyncio.sleep(pause_s)
        pause_s = min(2 * pause_s, _LONGEST_PAUSE_S)


def _run(settings: Settings, listening: socket.socket, sweep_every_s: float, *, accept_empty: bool) -> None:
    host = str(listening.getsockname()[0])
    urls = {"RINGTRUE_DATABASE_URL": settings.database_url, "RINGTRUE_REDIS_URL": settings.redis_url}
    check_secrets(settings.published or host, urls)
    own, blobs = _open(settings, accept_empty)
    databases, wake_ups = Databases(own, settings.database_url), CeleryWakeUps(settings.redis_url)
    listener, clock = Listener(settings.redis_url), DatabaseClock(own)
    try:
        gateway = _gateway(settings, host, databases, wake_ups, blobs, clock)
        name = f"{socket.gethostname()}-{os.getpid()}"
        backlog = gateway.intake.backlog
        sweeper = Sweeper(SqlJobStore(own), wake_ups, backlog, name, clock, sweep_every_s, settled=clock.settled)
        looked_at = {"announcements": listener.trouble, "claims": sweeper.claims}
        gateway = replace(gateway, probes={**gateway.probes, **looked_at})
        app = create_app(gateway, [sweeper.run, lambda: gateway.waiters.follow(listener.heard())])
        _serve(app, gateway, listening)
    finally:
        wake_ups.close()
        databases.close()


def _gateway(
    settings: Settings,
    host: str,
    databases: Databases,
    wake_ups: WakeUps,
    blobs: Blobs,
    clock: Callable[[], float],
) -> Gateway:
    database = databases.requests
    keys = SqlKeyStore(database)
    if not is_loopback(host) and not keys.any():
        raise SettingsError(
            f"cannot listen on {host} without API keys; make one first: ringtrue keys create NAME"
            " (with the --data of `ringtrue up`, where it has one)"
        )
    check_first_key(settings.published or host, keys)
    recordings = open_blobs(settings.recordings)
    redis = Redis.from_url(settings.redis_url, socket_timeout=2, socket_connect_timeout=2)
    return assemble(
        SqlJobStore(database),
        keys,
        SqlAliasStore(database),
        wake_ups,
        blobs,
        studies=SqlStudyStore(database),
        voices=SqlVoiceStore(database),
        recordings=recordings,
        open_to_local=is_loopback(host),
        lists=databases.lists,
        probes={"redis": lambda: bool(redis.ping()), "storage": blobs.trouble, "integrity": databases.damage},
        files=ModelFiles(WeightStore(settings.models), settings.catalog_lock),
        clock=clock,
        room=VoiceRoom(VoiceShare(seconds=settings.voice_minutes * 60), recordings.free_bytes),
    )


def _share_one_heap() -> None:
    """Make glibc use one heap for all threads.

    By default each thread gets its own. Threads that take turns holding the GIL gain nothing from that but lose
    memory."""
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt is not None:
        mallopt(_M_ARENA_MAX, 1)


def _listening(host: str, port: int, fd: int | None) -> socket.socket:
    if fd is not None:
        return socket.socket(fileno=fd)
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        return socket.create_server((host, port), family=family, backlog=2048)
    except OSError as error:
        raise SettingsError(f"cannot listen on {host} port {port}: {error.strerror or error}") from error


def _open(settings: Settings, accept_empty: bool) -> tuple[Database, Blobs]:
    try:
        keep_private(settings.data, local_folders(settings.blobs))
        settings.data.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise SettingsError(f"cannot write to {error.filename}: {error.strerror}") from error
    blobs = open_blobs(settings.blobs)
    return open_database(settings.database_url, blobs, accept_empty=accept_empty), blobs


def _serve(app: FastAPI, gateway: Gateway, listening: socket.socket) -> None:
    # Imported modules stay for good. A collector that scans them again and again stops every request for a long time.
    # And a batch makes tens of thousands of objects that are all needed until it is answered.
    gc.collect()
    gc.freeze()
    gc.set_threshold(10_000, 10, 10)
    # A batch is checked in a thread. Other requests, and the commit of the batch before, should wait only for a short
    # turn of that thread. Shorter turns than this cost more in switching than they gain.
    sys.setswitchinterval(0.0003)
    host, port = listening.getsockname()[:2]
    log.info("listening on http://%s:%d", f"[{host}]" if ":" in host else host, port)
    serve(app, listening, gateway.waiters.close)
