"""The worker's composition root: it reads the environment, builds what the flow needs and starts Celery."""

from __future__ import annotations

import argparse
import contextlib
import logging
import math
import os
import socket
import tempfile
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

from services.worker.environment_record import Environment, EnvironmentRecord
from services.worker.fitness import Fitness
from services.worker.heartbeat import Heartbeat
from services.worker.installs.interpreters import Interpreters
from services.worker.loader import YIELD_EVERY_S, Loader
from services.worker.memory.budget import Budget, Caps
from services.worker.periodic import Periodic
from services.worker.pins.catalog_pins import CatalogPins
from services.worker.pins.served_pins import LOOK_EVERY_S, ServedPins
from services.worker.recordings import Recordings
from services.worker.synthesis import Slot, SynthesisDeps
from services.worker.tasks import task_handlers
from shared.blobs import local_folders, open_blobs
from shared.errors import RingtrueError
from shared.files.locked_tempdir import LockedTempdir
from shared.files.private_folder import keep_private
from shared.machine import environment
from shared.messages.consumer import consume
from shared.messages.events import RedisAnnouncer
from shared.messages.queue import CeleryWakeUps, make_celery, speaking_queue
from shared.ports import Blobs, JobStore
from shared.processes import logs
from shared.processes.stopping import Stopping
from shared.scheduling.lapsing import LONGEST_LEASE_S, WORKER_LEASE_S
from shared.scheduling.slots import Slots
from shared.settings import Settings, read_settings, unknown_settings
from shared.store.sql import DatabaseClock, SqlJobStore, open_database
from shared.weights.store import WeightStore

EX_CONFIG = 78

log = logging.getLogger("worker")


@dataclass(frozen=True)
class WorkerArguments:
    """The command-line arguments."""

    slots: int
    pins: Sequence[str] | None
    families: Sequence[str] | None
    lease_s: float
    grace_s: float
    caps: Caps


def main(argv: Sequence[str] | None = None, environ: Mapping[str, str] | None = None) -> int:
    """Run a worker until it is told to stop. Return the exit code: `EX_CONFIG` if it cannot start."""
    environ = os.environ if environ is None else environ
    arguments = _arguments(argv)
    logs.set_up("worker", notices=unknown_settings(environ))
    try:
        return _run(read_settings(environ), arguments, environ)
    except RingtrueError as error:
        log.error("cannot start: %s", error)
        return EX_CONFIG


def _arguments(argv: Sequence[str] | None) -> WorkerArguments:
    parser = argparse.ArgumentParser(prog="python -m services.worker", description="A worker: speaks queued jobs.")
    parser.add_argument("--slots", type=int, default=1, help="number of jobs spoken at the same time (one per GPU)")
    parser.add_argument("--pin", action="append", help="serve only this pin (repeatable); default: all pins")
    parser.add_argument("--family", action="append", help="serve only this engine family (repeatable)")
    parser.add_argument(
        "--lease",
        type=float,
        default=WORKER_LEASE_S,
        help="seconds after which another worker may take the job of a silent worker",
    )
    parser.add_argument("--grace", type=float, default=10.0, help="seconds that a job may continue after SIGTERM")
    parser.add_argument(
        "--memory", type=float, default=math.inf, metavar="MB", help="most memory that all engines together may use"
    )
    parser.add_argument(
        "--gpu-memory",
        type=float,
        default=math.inf,
        metavar="MB",
        help="most GPU memory that all engines together may use",
    )
    given = parser.parse_args(argv)
    if not 0 < given.lease <= LONGEST_LEASE_S:
        parser.error(f"--lease must be more than 0 and at most {LONGEST_LEASE_S:g} seconds")
    caps = Caps(given.memory, given.gpu_memory)
    return WorkerArguments(given.slots, given.pin, given.family, given.lease, given.grace, caps)


def _run(settings: Settings, arguments: WorkerArguments, environ: Mapping[str, str]) -> int:
    keep_private(settings.data, (*local_folders(settings.blobs), settings.models, settings.memory_ledger))
    with contextlib.suppress(OSError):  # a store elsewhere needs no folder here
        settings.data.mkdir(parents=True, exist_ok=True)
    blobs = open_blobs(settings.blobs)
    database = open_database(settings.database_url, blobs)
    clock = DatabaseClock(database)
    name = f"{socket.gethostname()}-{os.getpid()}"
    here = environment.describe()
    served_pins = _served_pins(settings, arguments, here)
    loader = Loader(served_pins, Budget.here(settings.memory_ledger, environ, arguments.caps))
    slots = [Slot(f"{name}/{number}", loader) for number in range(arguments.slots)]
    families = served_pins.families()
    queues = [speaking_queue(family) for family in families]
    celery = make_celery(settings.redis_url)
    wake_ups = CeleryWakeUps(settings.redis_url)
    store = SqlJobStore(database)
    with ExitStack() as closing:
        closing.callback(database.close)
        spoken_with = closing.enter_context(LockedTempdir(Path(tempfile.gettempdir()), "ringtrue-voices-"))
        closing.callback(loader.close)
        closing.callback(wake_ups.close)
        recordings = Recordings(open_blobs(settings.recordings), spoken_with)
        deps = _deps(settings, arguments, store, wake_ups, slots, families, recordings, here, blobs=blobs, clock=clock)
        stopping = Stopping(arguments.grace_s)  # each job checks by itself whether the grace period is over
        closing.enter_context(Heartbeat(store, name, served_pins.manifests, clock))
        closing.enter_context(Periodic("looking at the catalog's pins", LOOK_EVERY_S, served_pins.look))
        closing.enter_context(Periodic("making room for other workers", YIELD_EVERY_S, loader.yield_room))
        return consume(
            celery,
            task_handlers(deps),
            queues,
            threads=arguments.slots + 1,
            on_ready=lambda: log.info("ready: %s", ", ".join(served_pins.served())),
            on_stopping=lambda: _stop(deps, stopping),
            alive=settings.alive,
        )


def _stop(deps: SynthesisDeps, stopping: Stopping) -> None:
    stopping.begin()
    deps.stop()


def _served_pins(settings: Settings, arguments: WorkerArguments, here: Environment) -> ServedPins:
    catalog_pins = CatalogPins(WeightStore(settings.models), settings.catalog_lock)
    interpreters = Interpreters(settings.engines, settings.interpreters)
    return ServedPins(
        arguments.pins, catalog_pins=catalog_pins, interpreters=interpreters, families=arguments.families, here=here
    )


def _deps(
    settings: Settings,
    arguments: WorkerArguments,
    store: JobStore,
    wake_ups: CeleryWakeUps,
    slots: Sequence[Slot],
    families: Sequence[str],
    recordings: Recordings,
    here: Environment,
    *,
    blobs: Blobs,
    clock: Callable[[], float],
) -> SynthesisDeps:
    return SynthesisDeps(
        slots=Slots(slots),
        store=store,
        blobs=blobs,
        fitness=Fitness(blobs),
        wake_ups=wake_ups,
        announcer=RedisAnnouncer(settings.redis_url),
        environment_record=EnvironmentRecord(store, here),
        families=families,
        recordings=recordings,
        lease_s=arguments.lease_s,
        grace_s=arguments.grace_s,
        clock=clock,
    )
