"""One run: a load, faults while it lasts, quiet, and the count."""

from __future__ import annotations

import os
import random
import tempfile
import time
import uuid
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import psycopg
from psycopg import sql
from sqlalchemy import make_url

from services.gateway.keys import new_key
from shared.store.sql import Database, SqlKeyStore, migrate
from tests import other_packages
from tests.small_disk import NoSmallDisk, mounted
from tests.whole.chaos import counting, faults
from tests.whole.chaos.deployment import Deployment, running
from tests.whole.chaos.load import Load

SERVER = os.environ.get("RINGTRUE_TEST_DATABASE_URL", "postgresql://root@127.0.0.1:5432/postgres")
USERS = ("ann", "ben", "eve")
DISK_KIB, CLIP_KIB = 64 << 10, 256
"""Room for audio at the least, and more for every job: only the faults fill it."""


@dataclass(frozen=True)
class Options:
    """What a run is like."""

    jobs: int = 2000
    seed: int = 1
    minutes: float = 8.0
    """In which the load comes and things go wrong."""
    faults: Sequence[str] = tuple(faults.KINDS)
    pause_s: float = 3.0
    """Between two faults, on average."""
    quiet_minutes: float = 10.0
    """For everything to be through once nothing goes wrong any more."""
    gateways: int = 2
    workers: int = 3
    scorers: int = 2
    mlflow: bool = True
    folder: Path | None = None
    """For files and logs; default: one that is removed."""


@dataclass
class Report:
    """What a run came to."""

    accepted: int = 0
    done: Counter[str] = field(default_factory=Counter)
    not_here: Counter[str] = field(default_factory=Counter)
    zeros: dict[str, list[str]] = field(default_factory=dict)
    seconds: float = 0.0

    @property
    def good(self) -> bool:
        return self.accepted > 0 and not any(self.zeros.values())

    def lines(self) -> Iterator[str]:
        faults = ", ".join(f"{number} {kind}" for kind, number in sorted(self.done.items()))
        yield f"{self.accepted} jobs accepted, {sum(self.done.values())} faults ({faults}) in {self.seconds:.0f} s"
        for kind, number in sorted(self.not_here.items()):
            yield f"  {number} {kind}: not done, there was nothing to hit or no means"
        for name, found in self.zeros.items():
            yield f"{name:<32}{len(found):>6}" + "".join(f"\n      {one}" for one in found[:5])


def run(options: Options, say: object = print) -> Report:
    """One run, on a database of its own."""
    report, outlived, began = Report(), list[str](), time.monotonic()
    with ExitStack() as stack:
        folder = options.folder or Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="ringtrue-chaos-")))
        database = stack.enter_context(_database())
        small_disk, blobs = _audio_folder(stack, folder / "blobs", DISK_KIB + options.jobs * CLIP_KIB)
        keys = _keys(database)
        wobble = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="ringtrue-wobble-")))
        engines = other_packages.installed_in(wobble, other_packages.WOBBLE)
        deployment = Deployment(folder, database, blobs, _names(options), [engines])
        place = counting.Place(database, blobs, deployment.mlflow_url)
        with running(deployment, outlived):
            counting.note_ends(database)
            scene = faults.Scene(deployment, random.Random(options.seed), small_disk)
            load = _suffer(scene, options, keys, report, say)
            _until_quiet(place, list(load.accepted), options.quiet_minutes * 60)
            report.accepted = len(load.accepted)
            report.zeros |= counting.count(place, list(load.accepted))
            report.zeros["refused for no reason"] = load.refused
    report.zeros["processes that outlived"] = outlived
    report.seconds = time.monotonic() - began
    return report


def _suffer(scene: faults.Scene, options: Options, keys: Sequence[str], report: Report, say: object) -> Load:
    """Everything that goes wrong while the load comes; healed when this returns."""
    load = Load(scene.deployment, keys, options.jobs, options.minutes * 60 * 0.9, options.seed)
    users, until = load.start(), time.monotonic() + options.minutes * 60
    while time.monotonic() < until or any(user.is_alive() for user in users):
        time.sleep(scene.random.expovariate(1 / options.pause_s))
        if time.monotonic() > until and not any(user.is_alive() for user in users):
            break
        if time.monotonic() > until + 120:
            load.giving_up.set()
        if options.faults and time.monotonic() < until:
            _one(scene, scene.random.choice(list(options.faults)), report, say)
    faults.heal(scene)
    return load


def _one(scene: faults.Scene, kind: str, report: Report, say: object) -> None:
    try:
        what = faults.KINDS[kind](scene)
        report.done[kind] += 1
    except faults.NotHere as error:
        what = f"not done: {error}"
        report.not_here[kind] += 1
    if callable(say):
        say(f"{time.strftime('%H:%M:%S')} {kind}: {what}")


def _until_quiet(place: counting.Place, job_ids: list[str], within_s: float) -> None:
    until = time.monotonic() + within_s
    while counting.still_open(place, job_ids) and time.monotonic() < until:
        time.sleep(1)


def _names(options: Options) -> list[str]:
    numbered = {"gateway": options.gateways, "worker": options.workers, "scorer": options.scorers}
    services = [f"{kind}{number}" for kind, many in numbered.items() for number in range(1, many + 1)]
    return ["redis", *(["mlflow"] if options.mlflow else []), *services]


def _keys(database: str) -> list[str]:
    opened = Database(database)
    migrate(opened)
    made = [new_key(user, time.time(), None) for user in USERS]
    for key, _ in made:
        SqlKeyStore(opened).add(key)
    opened.close()
    return [text for _, text in made]


def _audio_folder(stack: ExitStack, folder: Path, kib: int) -> tuple[bool, Path]:
    try:
        return True, stack.enter_context(mounted(folder, kib))
    except NoSmallDisk:
        return False, folder


@contextmanager
def _database() -> Iterator[str]:
    name = f"ringtrue_chaos_{uuid.uuid4().hex}"
    with psycopg.connect(SERVER, autocommit=True, connect_timeout=3) as server:
        server.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
        try:
            yield make_url(SERVER).set(database=name).render_as_string(hide_password=False)
        finally:
            server.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name)))
