"""The one door to Celery: names of tasks and queues, how bells are rung and heard.

A bell says that there is work for a queue and nothing else; which job is next is decided in SQL when it is heard. A
queue holds at most one bell: whoever takes it out looks for work after that, so one that is still in there tells of all
that was added before. Who finds work rings for the next, so as many workers wake as there is work for, and a thousand
jobs cost a handful of messages. A bell that is lost (Redis flushed, restarted or absent) is rung again by the sweeper.
"""

from __future__ import annotations

import logging
import threading
import time
import uuid
import warnings
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from celery import Celery
from celery.exceptions import SecurityWarning
from celery.signals import setup_logging, worker_ready, worker_shutting_down
from kombu import Connection
from kombu.entity import Exchange, Queue
from kombu.transport import virtual
from kombu.utils.json import dumps
from redis import Redis
from redis.backoff import NoBackoff
from redis.exceptions import RedisError
from redis.retry import Retry

from shared.lookout import looking_out

SPEAK = "ringtrue.speak"
SCORE = "ringtrue.score"
TRACK = "ringtrue.track"
JUDGE = "ringtrue.judge"
SCORING_QUEUE = "score"
TRACKING_QUEUE = "track"
JUDGING_QUEUE = "judge"

_PROMPT_S = 0.03
"""Whoever rings is kept waiting by Redis for no longer than this."""
_PATIENT_S = 2.0

_PUSH_INTO_EMPTY = "if redis.call('LLEN', KEYS[1]) == 0 then redis.call('LPUSH', KEYS[1], ARGV[1]) end"
_ID, _QUEUE = "<id>", "<queue>"
"""What stands in a message that is made once for what differs from bell to bell."""

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


class _Caught(virtual.Channel):  # type: ignore[misc]
    """Takes a message where a broker would, in the form in which kombu's Redis transport pushes it."""

    def _put(self, _queue: str, message: dict[str, Any], **_: Any) -> None:
        message["properties"]["delivery_tag"] = _ID
        self.connection.caught = dumps(message)


class _Nowhere(virtual.Transport):  # type: ignore[misc]
    Channel = _Caught


def _message(celery: Celery, task: str) -> str:
    """What Celery publishes for a bell. Celery takes several times as long for it as Redis for all the rest."""
    with Connection(transport=_Nowhere) as connection:
        celery.send_task(task, task_id=_ID, queue=_direct(_QUEUE), ignore_result=True, connection=connection)
        return str(connection.transport.caught)


class CeleryBells:
    """Implements ``shared.ports.Bells``. A bell is in its queue when the call returns, if Redis is prompt.

    Nobody waits twice for a Redis that is slow or away: a bell that is not taken promptly is left to a thread, and so
    are all that follow, until that thread finds Redis prompt again.
    """

    def __init__(self, redis_url: str) -> None:
        celery = make_celery(redis_url)
        self._messages = {task: _message(celery, task) for task in (SPEAK, SCORE, TRACK, JUDGE)}
        self._prompt = _redis(redis_url, _PROMPT_S)
        self._patient = _redis(redis_url, _PATIENT_S)
        self._push = self._prompt.register_script(_PUSH_INTO_EMPTY)
        self._is_prompt = True
        self._asked: set[tuple[str, str]] = set()
        self._changed = threading.Condition()
        self._closing = False
        self._thread = threading.Thread(target=self._ring_for_ever, name="bells", daemon=True)
        self._thread.start()

    def ring_engine(self, family: str) -> None:
        self._ring(SPEAK, speaking_queue(family))

    def ring_scorer(self) -> None:
        self._ring(SCORE, SCORING_QUEUE)

    def ring_tracker(self) -> None:
        self._ring(TRACK, TRACKING_QUEUE)

    def ring_judge(self) -> None:
        self._ring(JUDGE, JUDGING_QUEUE)

    def close(self) -> None:
        """Ring what was asked for, then stop."""
        with self._changed:
            self._closing = True
            self._changed.notify()
        self._thread.join(timeout=5)

    def _ring(self, task: str, queue: str) -> None:
        if self._is_prompt:
            try:
                self._put(self._prompt, task, queue)
                return
            except (RedisError, OSError) as error:
                self._is_prompt = False
                log.warning("bells are rung in the background for now: %s", error)
        with self._changed:
            self._asked.add((task, queue))
            self._changed.notify()

    def _put(self, redis: Redis, task: str, queue: str) -> None:
        message = self._messages[task].replace(_QUEUE, queue).replace(_ID, str(uuid.uuid4()))
        self._push(keys=[queue], args=[message], client=redis)

    def _ring_for_ever(self) -> None:
        while True:
            with self._changed:
                self._changed.wait_for(lambda: self._asked or self._closing)
                asked, self._asked = self._asked, set()
                if not asked:
                    return
            for task, queue in asked:
                self._ring_patiently(task, queue)

    def _ring_patiently(self, task: str, queue: str) -> None:
        began = time.monotonic()
        try:
            self._put(self._patient, task, queue)
        except (RedisError, OSError) as error:
            log.warning("bell of %s not rung, the sweeper will: %s", queue, error)
        else:
            self._is_prompt = time.monotonic() - began < _PROMPT_S


def _redis(url: str, patience_s: float) -> Redis:
    """Fails when it has waited for ``patience_s``, and does not try again by itself."""
    once = Retry(NoBackoff(), retries=0)
    return Redis.from_url(url, socket_timeout=patience_s, socket_connect_timeout=patience_s, retry=once)


def consume(
    celery: Celery,
    doors: Mapping[str, Callable[[], None]],
    queues: Sequence[str],
    *,
    threads: int,
    on_ready: Callable[[], None],
    on_stopping: Callable[[], None],
    alive: Path | None = None,
) -> int:
    """Run a Celery worker in this process until it is told to stop; returns its exit code.

    ``doors``: task name -> what to call. Threads, not processes: what must be apart runs in hosts of its own. Each door
    is also tried now and then without a bell; ``alive`` is a file that is touched meanwhile (shared/lookout.py).
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
    with looking_out(doors.values(), alive=alive):
        worker.start()
    return int(worker.exitcode or 0)


def _without_arguments(door: Callable[[], None]) -> Callable[[], None]:
    def task() -> None:
        door()

    return task
