"""The scorer's composition root: reads the environment, builds benches and turns, hands them to Celery."""

from __future__ import annotations

import argparse
import logging
import os
import socket
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial

from services.scorer import scoring
from services.scorer.alias_mirror import AliasMirror
from services.scorer.evaluation_files import pin_lock_in
from services.scorer.judge import Judge
from services.scorer.judging_bench import JudgingBench
from services.scorer.metric_host import MetricHost
from services.scorer.parent_runs import ParentRuns
from services.scorer.picture import Pictures
from services.scorer.scoring import ScoringBench
from services.scorer.surplus_runs import SurplusRuns
from services.scorer.tasks import DELETE_SURPLUS_RUNS, MIRROR_ALIASES, doors
from services.scorer.tracking import MlflowTracker
from services.scorer.tracking_bench import TrackingBench
from shared import logs
from shared.blobs import FolderBlobs
from shared.errors import RingtrueError
from shared.events import RedisAnnouncer
from shared.ports import AliasStore, Announcer, Blobs, JobStore
from shared.queue import JUDGING_QUEUE, SCORING_QUEUE, TRACKING_QUEUE, CeleryBells, consume, make_celery
from shared.settings import Settings, read_settings, unknown_settings
from shared.slots import Slots
from shared.store.sql import Database, SqlAliasStore, SqlJobStore, SqlStudyStore, migrate
from shared.studies import StudyStore

EX_CONFIG = 78

log = logging.getLogger("scorer")


@dataclass(frozen=True)
class Arguments:
    """What the command line says."""

    slots: int
    threads: int
    lease_s: float
    in_flight: int
    warm: bool


@dataclass(frozen=True)
class Credentials:
    """MLflow's own variables for a server that asks who is there."""

    username: str | None
    password: str | None
    token: str | None


@dataclass(frozen=True)
class Parts:
    """What the benches and the turns are built from."""

    store: JobStore
    studies: StudyStore
    aliases: AliasStore
    blobs: Blobs
    recordings: Blobs
    bells: CeleryBells
    announcer: Announcer
    holder: str


@dataclass(frozen=True)
class Tracking:
    """What runs are kept with; jobs and studies share it."""

    tracker: MlflowTracker
    parents: ParentRuns


def main(argv: Sequence[str] | None = None, environ: Mapping[str, str] | None = None) -> int:
    """Run a scorer until it is told to stop; returns the exit code."""
    environ = os.environ if environ is None else environ
    arguments = _arguments(argv)
    logs.set_up("scorer", notices=unknown_settings(environ))
    credentials = Credentials(*(environ.get(f"MLFLOW_TRACKING_{name}") for name in ("USERNAME", "PASSWORD", "TOKEN")))
    try:
        return _run(read_settings(environ), credentials, arguments)
    except RingtrueError as error:
        log.error("cannot start: %s", error)
        return EX_CONFIG


def _arguments(argv: Sequence[str] | None) -> Arguments:
    parser = argparse.ArgumentParser(prog="python -m services.scorer", description="Scores and tracks spoken jobs.")
    parser.add_argument("--slots", type=int, default=1, help="clips measured at the same time")
    parser.add_argument("--threads", type=int, default=1, help="threads that one model may use")
    parser.add_argument("--lease", type=float, default=30.0, help="seconds until a silent scorer's work is given away")
    parser.add_argument("--in-flight", type=int, default=8, help="runs logged at the same time")
    parser.add_argument("--warm", action=argparse.BooleanOptionalAction, default=True, help="load models at start")
    given = parser.parse_args(argv)
    return Arguments(given.slots, given.threads, given.lease, given.in_flight, given.warm)


def _run(settings: Settings, credentials: Credentials, arguments: Arguments) -> int:
    database = Database(settings.database_url)
    migrate(database)
    bells = CeleryBells(settings.redis_url)
    hosts = _hosts(settings, arguments)
    pictures = Pictures()
    parts = _parts(settings, database, bells)
    measuring = _measuring(parts, hosts, arguments)
    tracking = _tracking(parts, settings, credentials)
    logging_runs = None if tracking is None else _logging(parts, pictures, tracking, arguments)
    judging = _judging(parts, tracking, settings, arguments)

    def stop() -> None:
        for bench in (measuring, judging, logging_runs):
            if bench is not None:
                bench.stopping.set()

    for _ in hosts if arguments.warm else ():
        threading.Thread(target=scoring.warm, args=(measuring,), name="warm", daemon=True).start()
    try:
        return consume(
            make_celery(settings.redis_url),
            doors(measuring, judging, logging_runs, {} if tracking is None else _turns(parts, tracking)),
            [SCORING_QUEUE, JUDGING_QUEUE, *([] if tracking is None else [TRACKING_QUEUE])],
            threads=arguments.slots + 4,  # runs are logged in one, studies computed and logged in two
            on_ready=lambda: log.info("ready: %s", ", ".join(hosts[0].infos)),
            on_stopping=stop,
            alive=settings.alive,
        )
    finally:
        bells.close()
        pictures.close()
        for host in hosts:
            host.close()
        database.close()


def _parts(settings: Settings, database: Database, bells: CeleryBells) -> Parts:
    return Parts(
        SqlJobStore(database),
        SqlStudyStore(database),
        SqlAliasStore(database),
        FolderBlobs(settings.blobs),
        FolderBlobs(settings.recordings),
        bells,
        RedisAnnouncer(settings.redis_url),
        f"{socket.gethostname()}-{os.getpid()}",
    )


def _hosts(settings: Settings, arguments: Arguments) -> list[MetricHost]:
    return [
        MetricHost(
            models=settings.models,
            lock_file=settings.catalog_lock,
            funasr_python=settings.funasr_python,
            threads=arguments.threads,
        )
        for _ in range(arguments.slots)
    ]


def _measuring(parts: Parts, hosts: Sequence[MetricHost], arguments: Arguments) -> ScoringBench:
    return ScoringBench(
        slots=Slots(hosts),
        store=parts.store,
        blobs=parts.blobs,
        recordings=parts.recordings,
        bells=parts.bells,
        announcer=parts.announcer,
        holder=parts.holder,
        studies=parts.studies,
        lease_s=arguments.lease_s,
    )


def _judging(parts: Parts, tracking: Tracking | None, settings: Settings, arguments: Arguments) -> JudgingBench:
    return JudgingBench(
        judges=Slots([Judge(parts.blobs.get)]),
        trackers=None if tracking is None else Slots([tracking.tracker]),
        parents=None if tracking is None else tracking.parents,
        studies=parts.studies,
        store=parts.store,
        blobs=parts.blobs,
        bells=parts.bells,
        announcer=parts.announcer,
        holder=parts.holder,
        pin_lock=partial(pin_lock_in, settings.catalog_lock),
        lease_s=arguments.lease_s,
    )


def _tracking(parts: Parts, settings: Settings, credentials: Credentials) -> Tracking | None:
    if settings.mlflow_tracking_uri is None:
        log.warning("MLFLOW_TRACKING_URI is not set: jobs are scored and wait to be tracked")
        return None
    tracker = MlflowTracker(settings.mlflow_tracking_uri, url=settings.mlflow_url, **vars(credentials))
    return Tracking(tracker, ParentRuns(parts.studies, tracker))


def _turns(parts: Parts, tracking: Tracking) -> Mapping[str, Callable[[], None]]:
    mirror = AliasMirror(parts.aliases, parts.store, tracking.tracker.registry, parts.holder)
    surplus = SurplusRuns(tracking.tracker, parts.store, parts.studies, parts.holder)
    return {MIRROR_ALIASES: mirror.turn, DELETE_SURPLUS_RUNS: surplus.turn}


def _logging(parts: Parts, pictures: Pictures, tracking: Tracking, arguments: Arguments) -> TrackingBench:
    return TrackingBench(
        slots=Slots([tracking.tracker]),
        store=parts.store,
        blobs=parts.blobs,
        pictures=pictures,
        bells=parts.bells,
        announcer=parts.announcer,
        holder=parts.holder,
        parents=tracking.parents,
        in_flight=arguments.in_flight,
        lease_s=arguments.lease_s,
    )
