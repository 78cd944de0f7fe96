"""The one door to Celery: names of tasks and queues, how bells are rung and heard.

A bell says that there is work for a queue and nothing else; which job is next is decided in SQL when it is heard. At
most one bell per queue is under way at a time: whoever hears it and finds work rings for the next, so as many workers
wake as there is work for, and a thousand jobs cost a handful of messages. A bell that is lost (Redis flushed, restarted
or absent) is rung again by the sweeper.
"""

from __future__ import annotations

import logging
import threading
import warnings
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from celery import Celery
from celery.exceptions import SecurityWarning
from celery.signals import setup_logging, worker_ready, worker_shutting_down
from kombu.entity import Exchange, Queue
from kombu.exceptions import OperationalError
from redis import Redis
from redis.exceptions import RedisError

from shared.lookout import looking_out

SPEAK = "ringtrue.speak"
SCORE = "ringtrue.score"
TRACK = "ringtrue.track"
SCORING_QUEUE = "score"
TRACKING_QUEUE = "track"

_UNDER_WAY_S = 5
"""After this long a bell counts as lost; must not be shorter than the sweeper's period."""

log = logging.getLogger(__name__)


def speaking_queue(family: str) -> str:
    """Queue of an engine family."""
    return f"speak.{family}"


def make_celery(redis_url: str) -> Celery:
    """A Celery app that talks JSON, keeps no results and leaves logging alone."""
    celery = Celery("ringtrue", broker=redis_url, set_as_current=False)
    celery.conf.update(
        task_serializer="json",
        accept_content=["json"],
        task_ignore_result=True,
        task_acks_late=False,  # a bell is spent when it is heard: the row, not the message, says what is to be done
        task_publish_retry=False,
        worker_prefetch_multiplier=1,
        worker_hijack_root_logger=False,
        worker_cancel_long_running_tasks_on_connection_loss=False,
        broker_connection_retry_on_startup=True,
        broker_connection_max_retries=None,
        broker_transport_options={"socket_connect_timeout": 2, "socket_keepalive": True},
        worker_send_task_events=False,
        worker_enable_remote_control=True,
    )
    return celery


def _direct(queue: str) -> Queue:
    """The queue by the anonymous exchange: no routing table stands in Redis that a flush could remove."""
    return Queue(queue, Exchange(""), routing_key=queue)


def _under_way(queue: str) -> str:
    return f"ringtrue:bell:{queue}"


class CeleryBells:
    """Implements ``shared.ports.Bells``; `heard` is for those whom they wake.

    Rings from a thread of its own, so that nobody who has work to announce ever waits for Redis.
    """

    def __init__(self, celery: Celery, redis_url: str) -> None:
        self._celery = celery
        self._redis = Redis.from_url(redis_url, socket_timeout=2, socket_connect_timeout=2)
        self._asked: set[tuple[str, str]] = set()
        self._changed = threading.Condition()
        self._closing = False
        self._thread = threading.Thread(target=self._ring_for_ever, name="bells", daemon=True)
        self._thread.start()

    def ring_engine(self, family: str) -> None:
        self._ask(SPEAK, speaking_queue(family))

    def ring_scorer(self) -> None:
        self._ask(SCORE, SCORING_QUEUE)

    def ring_tracker(self) -> None:
        self._ask(TRACK, TRACKING_QUEUE)

    def heard(self, *queues: str) -> None:
        """A bell of these queues has arrived. Called before looking for work: what comes later rings anew."""
        try:
            self._redis.delete(*map(_under_way, queues))
        except RedisError as error:
            log.warning("bells of %s could not be marked as heard: %s", queues, error)

    def close(self) -> None:
        """Ring what was asked for, then stop."""
        with self._changed:
            self._closing = True
            self._changed.notify()
        self._thread.join(timeout=5)

    def _ask(self, task: str, queue: str) -> None:
        with self._changed:
            self._asked.add((task, queue))
            self._changed.notify()

    def _ring_for_ever(self) -> None:
        while True:
            with self._changed:
                self._changed.wait_for(lambda: self._asked or self._closing)
                asked, self._asked = self._asked, set()
                if not asked:
                    return
            for task, queue in asked:
                self._ring(task, queue)

    def _ring(self, task: str, queue: str) -> None:
        try:
            if self._redis.set(_under_way(queue), 1, nx=True, ex=_UNDER_WAY_S):
                self._celery.send_task(task, queue=_direct(queue), ignore_result=True)
        except (RedisError, OperationalError, OSError) as error:
            log.warning("bell of %s not rung, the sweeper will: %s", queue, error)


def consume(
    celery: Celery,
    doors: Mapping[str, Callable[[], None]],
    queues: Sequence[str],
    *,
    threads: int,
    on_ready: Callable[[], None],
    on_stopping: Callable[[], None],
) -> int:
    """Run a Celery worker in this process until it is told to stop; returns its exit code.

    ``doors``: task name -> what to call. Threads, not processes: what must be apart runs in hosts of its own. Each door
    is also tried now and then without a bell (shared/lookout.py).
    """
    celery.conf.task_queues = [_direct(name) for name in queues]
    for name, door in doors.items():
        celery.task(_without_arguments(door), name=name, ignore_result=True)

    @setup_logging.connect(weak=False)
    def _keep_our_logging(**_: Any) -> None:
        """Without a receiver Celery sets the root logger to its own level, and "ready" is never heard."""

    @worker_ready.connect(weak=False)
    def _ready(**_: Any) -> None:
        on_ready()

    @worker_shutting_down.connect(weak=False)
    def _stopping(**_: Any) -> None:
        on_stopping()

    # It warns of running as root because of pickle, which is not accepted here.
    warnings.filterwarnings("ignore", category=SecurityWarning)
    worker = celery.Worker(
        pool="threads", concurrency=threads, loglevel="WARNING", without_gossip=True, without_mingle=True, quiet=True
    )
    with looking_out(doors.values()):
        worker.start()
    return int(worker.exitcode or 0)


def _without_arguments(door: Callable[[], None]) -> Callable[[], None]:
    def task() -> None:
        door()

    return task
