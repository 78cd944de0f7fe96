"""Names of tasks and queues, and how wake-ups are sent.

Owns the names and the Celery message. `consumer.py` receives wake-ups; only these two modules know Celery. Knows
nothing of jobs: a wake-up says only that a queue has work, and SQL decides which job is next when it is received.

A queue holds at most one wake-up. A consumer looks for work after it has taken the wake-up out, so a wake-up that is
still in the queue covers everything that was added before. A consumer that finds work sends the next wake-up. So as
many workers wake as there is work for, and a thousand jobs cost a handful of messages. If a wake-up is lost (Redis
flushed, restarted or absent), the sweeper sends it again.
"""

from __future__ import annotations

import logging
import threading
import time
import uuid
from typing import Any

from celery import Celery
from kombu import Connection
from kombu.entity import Exchange, Queue
from kombu.transport import virtual
from kombu.utils.json import dumps
from redis import Redis
from redis.backoff import NoBackoff
from redis.retry import Retry

from shared.network.redis_urls import broker_url

SPEAK = "ringtrue.speak"
SCORE = "ringtrue.score"
TRACK = "ringtrue.track"
ANALYSE = "ringtrue.judge"
SCORING_QUEUE = "score"
TRACKING_QUEUE = "track"
ANALYSIS_QUEUE = "judge"

_PROMPT_S = 0.03
"""Seconds a caller waits for Redis when it sends a wake-up, at most."""
_PATIENT_S = 2.0

# One script, so that no second wake-up can be pushed between the look and the push.
_PUSH_INTO_EMPTY = "if redis.call('LLEN', KEYS[1]) == 0 then redis.call('LPUSH', KEYS[1], ARGV[1]) end"
_ID, _QUEUE = "<id>", "<queue>"
"""Placeholders in a message that is built once, for what differs from one wake-up to the next."""

log = logging.getLogger(__name__)


def speaking_queue(family: str) -> str:
    """Return the queue name of an engine family."""
    return f"speak.{family}"


def make_celery(redis_url: str) -> Celery:
    """Return a Celery app that uses JSON, keeps no results and does not touch logging."""
    celery = Celery("ringtrue", broker=broker_url(redis_url), set_as_current=False)
    celery.conf.update(
        task_serializer="json",
        accept_content=["json"],
        task_ignore_result=True,
        task_acks_late=False,  # acknowledged when received: the row, not the message, says what is to be done
        task_publish_retry=False,
        worker_prefetch_multiplier=1,
        worker_hijack_root_logger=False,
        worker_cancel_long_running_tasks_on_connection_loss=False,
        broker_connection_retry_on_startup=True,
        broker_connection_max_retries=None,
        broker_transport_options={"socket_connect_timeout": 2, "socket_keepalive": True},
        worker_send_task_events=False,
        worker_enable_remote_control=False,  # unused here, and anyone who reaches Redis could stop workers with it
    )
    return celery


def direct(queue: str) -> Queue:
    """Return the queue on the anonymous exchange, so that Redis holds no routing table that a flush could remove."""
    return Queue(queue, Exchange(""), routing_key=queue)


class _Caught(virtual.Channel):  # type: ignore[misc]
    """Captures a message instead of sending it, in the form in which kombu's Redis transport pushes it."""

    def _put(self, _queue: str, message: dict[str, Any], **_: Any) -> None:
        message["properties"]["delivery_tag"] = _ID
        self.connection.caught = dumps(message)


class _Nowhere(virtual.Transport):  # type: ignore[misc]
    Channel = _Caught


def _message(celery: Celery, task: str) -> str:
    """Return what Celery would publish for a wake-up.

    Built once per task: Celery takes several times as long to build a message as Redis takes for everything else.
    """
    with Connection(transport=_Nowhere) as connection:
        celery.send_task(task, task_id=_ID, queue=direct(_QUEUE), ignore_result=True, connection=connection)
        return str(connection.transport.caught)


class CeleryWakeUps:
    """Implements ``shared.ports.WakeUps``. If Redis is prompt, the wake-up is in its queue when the call returns.

    A caller never waits twice for a Redis that is slow or away. If one wake-up is not taken promptly, a background
    thread sends it and all that follow, until that thread finds Redis prompt again.
    """

    def __init__(self, redis_url: str) -> None:
        celery = make_celery(redis_url)
        self._messages = {task: _message(celery, task) for task in (SPEAK, SCORE, TRACK, ANALYSE)}
        self._prompt = _redis(redis_url, _PROMPT_S)
        self._patient = _redis(redis_url, _PATIENT_S)
        self._push = self._prompt.register_script(_PUSH_INTO_EMPTY)
        self._is_prompt = True
        self._asked: set[tuple[str, str]] = set()
        self._changed = threading.Condition()
        self._closing = False
        self._thread = threading.Thread(target=self._send_for_ever, name="wake-ups", daemon=True)
        self._thread.start()

    def wake_engine(self, family: str) -> None:
        self._send(SPEAK, speaking_queue(family))

    def wake_scoring(self) -> None:
        self._send(SCORE, SCORING_QUEUE)

    def wake_tracking(self) -> None:
        self._send(TRACK, TRACKING_QUEUE)

    def wake_analysis(self) -> None:
        self._send(ANALYSE, ANALYSIS_QUEUE)

    def close(self) -> None:
        """Send the wake-ups that were asked for, then stop."""
        with self._changed:
            self._closing = True
            self._changed.notify()
        self._thread.join(timeout=5)

    def _send(self, task: str, queue: str) -> None:
        if self._is_prompt:
            try:
                self._put(self._prompt, task, queue)
                return
            except Exception as error:  # any error: what answers at this address may not be Redis at all
                self._is_prompt = False
                log.warning("Redis is slow or not available; sending wake-ups in the background: %r", error)
        with self._changed:
            self._asked.add((task, queue))
            self._changed.notify()

    def _put(self, redis: Redis, task: str, queue: str) -> None:
        message = self._messages[task].replace(_QUEUE, queue).replace(_ID, str(uuid.uuid4()))
        self._push(keys=[queue], args=[message], client=redis)

    def _send_for_ever(self) -> None:
        while True:
            with self._changed:
                self._changed.wait_for(lambda: self._asked or self._closing)
                asked, self._asked = self._asked, set()
                if not asked:
                    return
            for task, queue in asked:
                self._send_patiently(task, queue)

    def _send_patiently(self, task: str, queue: str) -> None:
        began = time.monotonic()
        try:
            self._put(self._patient, task, queue)
        except Exception as error:  # the thread goes on after any error
            log.warning("wake-up of %s not sent; the sweeper will send it: %r", queue, error)
        else:
            self._is_prompt = time.monotonic() - began < _PROMPT_S


def _redis(url: str, patience_s: float) -> Redis:
    """Return a client that fails after waiting ``patience_s`` seconds and does not retry."""
    once = Retry(NoBackoff(), retries=0)
    return Redis.from_url(url, socket_timeout=patience_s, socket_connect_timeout=patience_s, retry=once)
