"""The scorer's composition root: read the environment, build what the flows need and hand the handlers to Celery."""

from __future__ import annotations

import argparse
import contextlib
import logging
import os
import socket
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Self

from services.scorer.pictures.pictures import Pictures
from services.scorer.scoring import score_clips
from services.scorer.scoring.metric_host import MetricHost
from services.scorer.scoring.score_clips import ScoringDeps
from services.scorer.studies.analyzer import Analyzer
from services.scorer.studies.compute_studies import ComputeDeps
from services.scorer.studies.evaluation_files import pin_lock_in
from services.scorer.tasks import DELETE_SURPLUS_RUNS, MIRROR_ALIASES, TrackingDeps, task_handlers
from services.scorer.tracking.alias_mirror import AliasMirror
from services.scorer.tracking.mlflow_http import MlflowHttp
from services.scorer.tracking.mlflow_tracker import MlflowTracker
from services.scorer.tracking.parent_runs import ParentRuns
from services.scorer.tracking.surplus_runs import SurplusRuns
from services.scorer.tracking.track_clips import ClipTrackingDeps
from services.scorer.tracking.track_studies import StudyTrackingDeps
from shared import metric_families
from shared.aliases import AliasStore
from shared.blobs import local_folders, open_blobs
from shared.errors import RingtrueError
from shared.files.private_folder import keep_private
from shared.messages.consumer import consume
from shared.messages.events import RedisAnnouncer
from shared.messages.queue import ANALYSIS_QUEUE, SCORING_QUEUE, TRACKING_QUEUE, CeleryWakeUps, make_celery
from shared.ports import Announcer, Blobs, JobStore
from shared.processes import logs
from shared.processes.stopping import Stopping
from shared.scheduling.lapsing import LONGEST_LEASE_S, SCORER_LEASE_S
from shared.scheduling.slots import Slots
from shared.settings import Settings, read_settings, unknown_settings
from shared.store.sql import Database, DatabaseClock, SqlAliasStore, SqlJobStore, SqlStudyStore, open_database
from shared.studies import StudyStore

EX_CONFIG = 78

log = logging.getLogger("scorer")


@dataclass(frozen=True)
class ScorerArguments:
    """The options of the command line. Times are in seconds."""

    slots: int
    threads: int
    lease_s: float
    in_flight: int
    warm: bool
    grace_s: float


@dataclass(frozen=True)
class MlflowAccess:
    """The login for an MLflow server that asks for one, and the certificates to know it by, as `MlflowHttp` takes
    them."""

    username: str | None
    password: str | None
    token: str | None
    ca_file: str | None

    @classmethod
    def read(cls, environ: Mapping[str, str]) -> Self:
        """Return what MLflow's own variables say, and the one for certificates that its client has always followed."""
        username, password, token = (
            environ.get(f"MLFLOW_TRACKING_{name}") for name in ("USERNAME", "PASSWORD", "TOKEN")
        )
        ca_file = environ.get("MLFLOW_TRACKING_SERVER_CERT_PATH") or environ.get("REQUESTS_CA_BUNDLE")
        return cls(username, password, token, ca_file)


@dataclass(frozen=True)
class Parts:
    """What the flows and the periodic tasks are built from."""

    store: JobStore
    studies: StudyStore
    aliases: AliasStore
    blobs: Blobs
    recordings: Blobs
    wake_ups: CeleryWakeUps
    announcer: Announcer
    holder: str
    clock: Callable[[], float]


@dataclass(frozen=True)
class TrackingParts:
    """What runs are logged with. Jobs and studies share it."""

    tracker: MlflowTracker
    parents: ParentRuns


def main(argv: Sequence[str] | None = None, environ: Mapping[str, str] | None = None) -> int:
    """Run a scorer until it is told to stop. Return the exit code: 78 (`EX_CONFIG`) if it cannot start."""
    environ = os.environ if environ is None else environ
    arguments = _arguments(argv)
    logs.set_up("scorer", notices=[*unknown_settings(environ), *metric_families.refused()])
    try:
        return _run(read_settings(environ), MlflowAccess.read(environ), arguments)
    except RingtrueError as error:
        log.error("cannot start: %s", error)
        return EX_CONFIG


def _arguments(argv: Sequence[str] | None) -> ScorerArguments:
    parser = argparse.ArgumentParser(
        prog="python -m services.scorer", description="A scorer: scores and tracks spoken jobs."
    )
    parser.add_argument("--slots", type=int, default=1, help="number of clips measured at the same time")
    parser.add_argument("--threads", type=int, default=1, help="threads that one model may use")
    parser.add_argument(
        "--lease",
        type=float,
        default=SCORER_LEASE_S,
        help="seconds after which another scorer may take the work of a silent one",
    )
    parser.add_argument("--grace", type=float, default=8.0, help="seconds that work may continue after SIGTERM")
    parser.add_argument("--in-flight", type=int, default=8, help="number of runs logged at the same time")
    parser.add_argument("--warm", action=argparse.BooleanOptionalAction, default=True, help="load models at start")
    given = parser.parse_args(argv)
    if not 0 < given.lease <= LONGEST_LEASE_S:
        parser.error(f"--lease must be more than 0 and at most {LONGEST_LEASE_S:g} seconds")
    return ScorerArguments(given.slots, given.threads, given.lease, given.in_flight, given.warm, given.grace)


def _run(settings: Settings, access: MlflowAccess, arguments: ScorerArguments) -> int:
    keep_private(settings.data, (*local_folders(settings.blobs), settings.models))
    with contextlib.suppress(OSError):  # if all stores are elsewhere, no folder is needed here
        settings.data.mkdir(parents=True, exist_ok=True)
    blobs = open_blobs(settings.blobs)
    database = open_database(settings.database_url, blobs)
    wake_ups = CeleryWakeUps(settings.redis_url)
    hosts, pictures = _hosts(settings, arguments), Pictures()
    parts = _parts(settings, database, blobs, wake_ups)
    measuring = _measuring(parts, hosts, arguments)
    tracking = _tracking(parts, settings, access)
    analyzer = Analyzer(parts.blobs.get)
    computing = _computing(parts, settings, arguments, analyzer)
    logging_runs = None if tracking is None else _logging(parts, pictures, tracking, arguments)
    stopping = Stopping(arguments.grace_s, lambda: _give_up(hosts, analyzer))

    def stop() -> None:
        stopping.begin()
        for deps in (measuring, computing, *((logging_runs.clips, logging_runs.studies) if logging_runs else ())):
            deps.stopping.set()

    for _ in hosts if arguments.warm else ():
        # One thread per host: each of them warms a slot that is free at that moment.
        threading.Thread(target=score_clips.warm, args=(measuring,), name="warm", daemon=True).start()
    try:
        return consume(
            make_celery(settings.redis_url),
            task_handlers(measuring, computing, logging_runs, _turns(parts, tracking)),
            [SCORING_QUEUE, ANALYSIS_QUEUE, *([] if tracking is None else [TRACKING_QUEUE])],
            threads=arguments.slots + 4,  # one thread logs clips, two compute and log studies
            on_ready=lambda: log.info("ready: %s", ", ".join(hosts[0].infos)),
            on_stopping=stop,
            alive=settings.alive,
        )
    finally:
        wake_ups.close()
        pictures.close()
        for host in hosts:
            host.close()
        database.close()


def _give_up(hosts: Sequence[MetricHost], analyzer: Analyzer) -> None:
    for host in hosts:
        host.give_up()
    analyzer.give_up()


def _parts(settings: Settings, database: Database, blobs: Blobs, wake_ups: CeleryWakeUps) -> Parts:
    return Parts(
        SqlJobStore(database),
        SqlStudyStore(database),
        SqlAliasStore(database),
        blobs,
        open_blobs(settings.recordings),
        wake_ups,
        RedisAnnouncer(settings.redis_url),
        f"{socket.gethostname()}-{os.getpid()}",
        DatabaseClock(database),
    )


def _hosts(settings: Settings, arguments: ScorerArguments) -> list[MetricHost]:
    return [
        MetricHost(
            models=settings.models,
            lock_file=settings.catalog_lock,
            funasr_python=settings.funasr_python,
            threads=arguments.threads,
        )
        for _ in range(arguments.slots)
    ]


def _measuring(parts: Parts, hosts: Sequence[MetricHost], arguments: ScorerArguments) -> ScoringDeps:
    return ScoringDeps(
        slots=Slots(hosts),
        store=parts.store,
        blobs=parts.blobs,
        recordings=parts.recordings,
        wake_ups=parts.wake_ups,
        announcer=parts.announcer,
        holder=parts.holder,
        studies=parts.studies,
        lease_s=arguments.lease_s,
        clock=parts.clock,
    )


def _computing(parts: Parts, settings: Settings, arguments: ScorerArguments, analyzer: Analyzer) -> ComputeDeps:
    return ComputeDeps(
        analyzers=Slots([analyzer]),
        studies=parts.studies,
        store=parts.store,
        blobs=parts.blobs,
        wake_ups=parts.wake_ups,
        announcer=parts.announcer,
        holder=parts.holder,
        pin_lock=partial(pin_lock_in, settings.catalog_lock),
        lease_s=arguments.lease_s,
        clock=parts.clock,
    )


def _tracking(parts: Parts, settings: Settings, access: MlflowAccess) -> TrackingParts | None:
    if settings.mlflow_tracking_uri is None:
        log.warning("MLFLOW_TRACKING_URI is not set: jobs are scored, but tracking waits until it is set")
        return None
    http = MlflowHttp(settings.mlflow_tracking_uri, **vars(access))
    tracker = MlflowTracker(http, url=settings.mlflow_url)
    return TrackingParts(tracker, ParentRuns(parts.studies, tracker))


def _turns(parts: Parts, tracking: TrackingParts | None) -> Mapping[str, Callable[[], None]]:
    if tracking is None:
        return {}
    mirror = AliasMirror(parts.aliases, parts.store, tracking.tracker.registry, parts.holder, parts.clock)
    surplus = SurplusRuns(tracking.tracker, parts.store, parts.studies, parts.holder, parts.clock)
    return {MIRROR_ALIASES: mirror.turn, DELETE_SURPLUS_RUNS: surplus.turn}


def _logging(parts: Parts, pictures: Pictures, tracking: TrackingParts, arguments: ScorerArguments) -> TrackingDeps:
    clips = ClipTrackingDeps(
        trackers=Slots([tracking.tracker]),
        store=parts.store,
        blobs=parts.blobs,
        pictures=pictures,
        wake_ups=parts.wake_ups,
        studies=parts.studies,
        announcer=parts.announcer,
        holder=parts.holder,
        parents=tracking.parents,
        in_flight=arguments.in_flight,
        lease_s=arguments.lease_s,
        clock=parts.clock,
    )
    studies = StudyTrackingDeps(
        trackers=Slots([tracking.tracker]),
        parents=tracking.parents,
        studies=parts.studies,
        store=parts.store,
        blobs=parts.blobs,
        wake_ups=parts.wake_ups,
        announcer=parts.announcer,
        holder=parts.holder,
        lease_s=arguments.lease_s,
        clock=parts.clock,
    )
    return TrackingDeps(clips, studies)
