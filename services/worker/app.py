"""The worker's composition root: reads the environment, builds the bench, hands it to Celery."""

from __future__ import annotations

import argparse
import logging
import math
import os
import socket
import tempfile
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

from services.worker.engines import surroundings
from services.worker.interpreters import Interpreters
from services.worker.loader import YIELD_EVERY_S, Loader
from services.worker.memory.budget import Budget, Caps
from services.worker.offer import LOOK_EVERY_S, Offer
from services.worker.presence import Presence
from services.worker.recordings import Recordings
from services.worker.rounds import Rounds
from services.worker.shelf import Shelf
from services.worker.synthesis import Bench, Slot
from services.worker.tasks import doors
from services.worker.whereabouts import Environment, Whereabouts
from shared import environment, logs
from shared.blobs import FolderBlobs
from shared.errors import RingtrueError
from shared.events import RedisAnnouncer
from shared.own_folder import OwnFolder
from shared.ports import JobStore
from shared.queue import CeleryBells, consume, make_celery, speaking_queue
from shared.settings import Settings, read_settings, unknown_settings
from shared.slots import Slots
from shared.store.sql import Database, SqlJobStore, migrate
from shared.weights.store import WeightStore

EX_CONFIG = 78

log = logging.getLogger("worker")


@dataclass(frozen=True)
class Arguments:
    """What the command line says."""

    slots: int
    pins: Sequence[str] | None
    families: Sequence[str] | None
    lease_s: float
    grace_s: float
    caps: Caps


def main(argv: Sequence[str] | None = None, environ: Mapping[str, str] | None = None) -> int:
    """Run a worker until it is told to stop; returns the exit code."""
    environ = os.environ if environ is None else environ
    arguments = _arguments(argv)
    logs.set_up("worker", notices=unknown_settings(environ))
    try:
        return _run(read_settings(environ), arguments, environ)
    except RingtrueError as error:
        log.error("cannot start: %s", error)
        return EX_CONFIG


def _arguments(argv: Sequence[str] | None) -> Arguments:
    parser = argparse.ArgumentParser(prog="python -m services.worker", description="Speaks queued jobs.")
    parser.add_argument("--slots", type=int, default=1, help="jobs spoken at the same time (one per GPU)")
    parser.add_argument("--pin", action="append", help="serve only this pin (may be repeated); default: all installed")
    parser.add_argument("--family", action="append", help="serve only this engine family (may be repeated)")
    parser.add_argument("--lease", type=float, default=15.0, help="seconds until a silent worker's job is given away")
    parser.add_argument("--grace", type=float, default=10.0, help="seconds a job may go on after SIGTERM")
    parser.add_argument("--memory", type=float, default=math.inf, metavar="MB", help="most that engines may take")
    parser.add_argument("--gpu-memory", type=float, default=math.inf, metavar="MB", help="likewise, of the GPU")
    given = parser.parse_args(argv)
    caps = Caps(given.memory, given.gpu_memory)
    return Arguments(given.slots, given.pin, given.family, given.lease, given.grace, caps)


def _run(settings: Settings, arguments: Arguments, environ: Mapping[str, str]) -> int:
    database = Database(settings.database_url)
    migrate(database)
    name = f"{socket.gethostname()}-{os.getpid()}"
    here = environment.describe(surroundings.LIBRARIES)
    offer = _offer(settings, arguments, here)
    loader = Loader(offer, Budget.here(settings.memory_ledger, environ, arguments.caps))
    slots = [Slot(f"{name}/{number}", loader) for number in range(arguments.slots)]
    families = offer.families()
    queues = [speaking_queue(family) for family in families]
    celery = make_celery(settings.redis_url)
    bells = CeleryBells(settings.redis_url)
    store = SqlJobStore(database)
    with ExitStack() as closing:
        closing.callback(database.close)
        spoken_with = closing.enter_context(OwnFolder(Path(tempfile.gettempdir()), "ringtrue-voices-"))
        closing.callback(loader.close)
        closing.callback(bells.close)
        recordings = Recordings(FolderBlobs(settings.recordings), spoken_with)
        whereabouts = Whereabouts(store, here)
        bench = _bench(settings, arguments, store, bells, slots, families, recordings, whereabouts)
        closing.enter_context(Presence(store, name, offer.manifests, bench.clock))
        closing.enter_context(Rounds("looking at the catalog's pins", LOOK_EVERY_S, offer.look))
        closing.enter_context(Rounds("making room for other workers", YIELD_EVERY_S, loader.yield_room))
        return consume(
            celery,
            doors(bench),
            queues,
            threads=arguments.slots + 1,
            on_ready=lambda: log.info("ready: %s", ", ".join(offer.served())),
            on_stopping=bench.stop,
            alive=settings.alive,
        )


def _offer(settings: Settings, arguments: Arguments, here: Environment) -> Offer:
    shelf = Shelf(WeightStore(settings.models), settings.catalog_lock)
    interpreters = Interpreters(settings.engines, settings.interpreters)
    return Offer(arguments.pins, shelf=shelf, interpreters=interpreters, families=arguments.families, here=here)


def _bench(
    settings: Settings,
    arguments: Arguments,
    store: JobStore,
    bells: CeleryBells,
    slots: Sequence[Slot],
    families: Sequence[str],
    recordings: Recordings,
    whereabouts: Whereabouts,
) -> Bench:
    return Bench(
        slots=Slots(slots),
        store=store,
        blobs=FolderBlobs(settings.blobs),
        bells=bells,
        announcer=RedisAnnouncer(settings.redis_url),
        whereabouts=whereabouts,
        families=families,
        recordings=recordings,
        lease_s=arguments.lease_s,
        grace_s=arguments.grace_s,
    )
