"""What goes wrong, one function per kind: does it, waits as long as it lasts, puts right what does not heal by itself.

A fault that cannot be done here raises `NotHere`. Each leaves the deployment with every process running.
"""

from __future__ import annotations

import contextlib
import random
import shutil
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass

import psutil
import psycopg
from redis.exceptions import RedisError

from tests.small_disk import fill
from tests.whole.chaos.deployment import LEASE_S, Deployment, kind_of

SKEWS_S = (3600.0, -20.0, 172_800.0)
CHOICE_LOCK = 0x72746331
"""The advisory lock under which the next job is chosen."""


class NotHere(Exception):
    """This fault cannot be done on this machine, or there is nothing that it could hit."""


@dataclass
class Scene:
    """What a fault acts on."""

    deployment: Deployment
    random: random.Random
    small_disk: bool
    """The audio lies on a disk of its own."""

    def any_of(self, *kinds: str) -> str:
        return self.random.choice(self.deployment.of_kind(*kinds))

    @contextmanager
    def server(self) -> Iterator[psycopg.Connection[tuple[object, ...]]]:
        with psycopg.connect(self.deployment.database, autocommit=True) as connection:
            yield connection


Fault = Callable[[Scene], str]
"""Does it and says what it did."""


def kill(scene: Scene) -> str:
    """kill -9 of a service, of Redis, of MLflow, or of a child of a service."""
    name = scene.any_of("gateway", "worker", "scorer", "redis", "mlflow")
    if kind_of(name) in ("worker", "scorer") and scene.random.random() < 0.4:
        children = psutil.Process(scene.deployment.processes[name].pid).children(recursive=True)
        if children:
            child = scene.random.choice(children)
            with contextlib.suppress(psutil.Error):
                child.kill()
            return f"a child of {name}"
    _restart(scene, name, scene.random.uniform(0.0, 1.5))
    return name


def flush(scene: Scene) -> str:
    """Redis forgets everything, scripts too."""
    with contextlib.suppress(RedisError):
        redis = scene.deployment.redis()
        redis.flushall()
        redis.script_flush()
    return "FLUSHALL"


def redis(scene: Scene) -> str:
    """Redis is killed and its files are deleted."""
    with scene.deployment.changing:
        scene.deployment.kill("redis")
        shutil.rmtree(scene.deployment.folder / "redis")
        (scene.deployment.folder / "redis").mkdir()
        time.sleep(scene.random.uniform(0.0, 1.0))
        scene.deployment.start("redis")
    return "its data deleted"


def backends(scene: Scene) -> str:
    """The database ends connections, some or all."""
    share = scene.random.choice((0.3, 1.0))
    with scene.server() as server:
        ended = server.execute(
            "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity"
            " WHERE datname = current_database() AND pid <> pg_backend_pid() AND random() <= %s",
            [share],
        ).fetchone()
    return f"{ended[0] if ended else 0} connections"


def stop(scene: Scene) -> str:
    """A worker or a scorer stands still for longer than its lease."""
    name = scene.any_of("worker", "scorer")
    _stopped(scene, name, LEASE_S * scene.random.uniform(1.2, 2.5))
    return name


def holder(scene: Scene) -> str:
    """A worker stands still while it holds the lock under which jobs are chosen.

    The lock is taken first, so that workers wait for it; the first of them is stopped, and then gets it."""
    with scene.server() as server:
        server.execute("BEGIN")
        server.execute("SELECT pg_advisory_xact_lock(%s)", [CHOICE_LOCK])
        name = _first_waiter(scene)
        if name is None:
            server.execute("ROLLBACK")
            raise NotHere("nobody waits for the lock under which jobs are chosen")
        scene.deployment.pause(name)
        server.execute("ROLLBACK")
    time.sleep(LEASE_S * scene.random.uniform(2.0, 4.0))
    scene.deployment.resume(name)
    return name


def skew(scene: Scene) -> str:
    """A service comes back with a clock that is wrong; later it is killed, a worker best while it holds a job, and has
    the right time again."""
    kind = scene.random.choice(("worker", "worker", "gateway", "scorer"))
    name, seconds = scene.any_of(kind), scene.random.choice(SKEWS_S)
    scene.deployment.skews[name] = seconds
    _restart(scene, name, 0.0)
    time.sleep(scene.random.uniform(3.0, 6.0))
    held = kind == "worker" and _holds_a_job(scene, name)
    del scene.deployment.skews[name]
    _restart(scene, name, 0.0)
    return f"{name} by {seconds:+g} s" + (", killed while it held a job" if held else "")


def disk(scene: Scene) -> str:
    """The disk of the audio is full for a while."""
    if not scene.small_disk:
        raise NotHere("no disk of its own can be mounted for the audio")
    filler = fill(scene.deployment.blobs)
    time.sleep(scene.random.uniform(2.0, 6.0))
    filler.unlink()
    return "full"


def refuse(scene: Scene) -> str:
    """Redis asks for a password that nobody has, or becomes the replica of nobody."""
    with contextlib.suppress(RedisError, OSError):
        server = scene.deployment.redis()
        if scene.random.random() < 0.5:
            server.config_set("requirepass", "secret")
            server.client_kill_filter(_type="normal", skipme=True)
            time.sleep(scene.random.uniform(1.0, 5.0))
            server.config_set("requirepass", "")
            return "a password"
        server.slaveof("127.0.0.1", 1)
        time.sleep(scene.random.uniform(1.0, 5.0))
        server.slaveof()
    return "a replica"


KINDS: Mapping[str, Fault] = {
    one.__name__: one for one in (kill, flush, redis, backends, stop, holder, skew, disk, refuse)
}


def heal(scene: Scene) -> None:
    """Every process runs, with the right time, and Redis takes everybody."""
    scene.deployment.skews.clear()
    for name in scene.deployment.names:
        scene.deployment.resume(name)
        if not scene.deployment.alive(name):
            scene.deployment.start(name)
    scene.deployment.wait("redis")


def _restart(scene: Scene, name: str, pause_s: float) -> None:
    with scene.deployment.changing:
        scene.deployment.resume(name)
        scene.deployment.kill(name)
        time.sleep(pause_s)
        scene.deployment.start(name)


def _holds_a_job(scene: Scene, name: str) -> bool:
    """Whether it does, now or within some seconds."""
    query = "SELECT 1 FROM jobs WHERE status IN ('starting', 'processing') AND worker LIKE %s LIMIT 1"
    until, of_it = time.monotonic() + 25, f"%-{scene.deployment.processes[name].pid}/%"
    with scene.server() as server:
        while time.monotonic() < until:
            if server.execute(query, [of_it]).fetchone() is not None:
                return True
            time.sleep(0.02)
    return False


def _stopped(scene: Scene, name: str, seconds: float) -> None:
    scene.deployment.pause(name)
    time.sleep(seconds)
    scene.deployment.resume(name)


def _first_waiter(scene: Scene) -> str | None:
    """The worker that will get the lock next."""
    waiting = (
        "SELECT client_port FROM pg_locks JOIN pg_stat_activity USING (pid)"
        " WHERE locktype = 'advisory' AND objid = %s AND NOT granted ORDER BY waitstart LIMIT 1"
    )
    with scene.server() as server:
        for _ in range(50):
            if (row := server.execute(waiting, [CHOICE_LOCK]).fetchone()) is not None:
                return _worker_at(scene, row[0])
            time.sleep(0.1)
    return None


def _worker_at(scene: Scene, port: object) -> str | None:
    for name in scene.deployment.of_kind("worker"):
        with contextlib.suppress(psutil.Error, KeyError):
            process = psutil.Process(scene.deployment.processes[name].pid)
            if any(connection.laddr.port == port for connection in process.net_connections("tcp")):
                return name
    return None
