"""A Celery consumer that lives as long as its process, whatever Redis does.

Owns how wake-ups are received and the signals that end a process. The process survives a Redis that refuses (a
read-only replica, a changed password, no memory, another server on that port) and a Celery that gives up on it: after a
pause, a new consumer is made. Meanwhile the process polls for work (shared/scheduling/polling.py). Knows nothing of the
work.

Celery runs in a thread of its own. The main thread waits for signals, so a consumer that hangs in a read from a silent
Redis cannot keep the process from ending.
"""

from __future__ import annotations

import logging
import os
import signal
import threading
import time
import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from types import FrameType
from typing import Any

from celery import Celery
from celery.concurrency.thread import TaskPool
from celery.exceptions import SecurityWarning
from celery.signals import setup_logging, worker_ready
from celery.worker import state
from kombu.asynchronous import set_event_loop

from shared.messages.queue import direct
from shared.scheduling.polling import LOOK_EVERY_S, polling

FIRST_PAUSE_S, LONGEST_PAUSE_S = 0.5, 5.0
"""Seconds between two consumers. Not longer than between two polls: connecting costs less than polling."""
STEADY_S = 30.0
"""After a consumer that ran for this many seconds, the pause starts again at its shortest."""
SILENT_S = 15.0
"""Seconds after which an answer of Redis is no longer expected."""
_LET_GO_S = 2.0
"""Seconds for a consumer to let go of its queue."""
_LAST_JOB_S = 20.0
"""Seconds for running work to end when the process stops. The flow ends it sooner, by its own grace period. Together
with the steps that follow, this is less than the 30 s that container runtimes usually give."""

log = logging.getLogger(__name__)


def consume(
    celery: Celery,
    task_handlers: Mapping[str, Callable[[], None]],
    queues: Sequence[str],
    *,
    threads: int,
    on_ready: Callable[[], None],
    on_stopping: Callable[[], None],
    alive: Path | None = None,
    look_every_s: float = LOOK_EVERY_S,
    longest_pause_s: float = LONGEST_PAUSE_S,
) -> int:
    """Receive wake-ups in this process until SIGTERM or SIGINT; return the exit code of the process.

    ``task_handlers``: task name -> function to call. Handlers run in threads, not processes: what needs a process of
    its own runs in a host. Each handler is also called now and then without a wake-up, and the file ``alive`` is
    touched meanwhile (shared/scheduling/polling.py). ``on_ready`` is called whenever a consumer is connected. Call this
    from the main thread.
    """
    running = _Running()
    counted = {name: running.counting(handler) for name, handler in task_handlers.items()}
    consumer = _Consumer(celery, counted, queues, threads, on_ready, longest_pause_s)
    with _signals() as told, polling(counted.values(), look_every_s, alive):
        consumer.start()
        told()
        on_stopping()
        consumer.stop()
        running.wait(_LAST_JOB_S)
    return 0


class _Running:
    """Counts the handlers that are running."""

    def __init__(self) -> None:
        self._number = 0
        self._changed = threading.Condition()

    def counting(self, handler: Callable[[], None]) -> Callable[[], None]:
        def counted() -> None:
            with self._changed:
                self._number += 1
            try:
                handler()
            finally:
                with self._changed:
                    self._number -= 1
                    self._changed.notify_all()

        return counted

    def wait(self, at_most_s: float) -> None:
        with self._changed:
            self._changed.wait_for(lambda: self._number == 0, at_most_s)


class _Pool(TaskPool):  # type: ignore[misc]
    """A thread pool that does not wait for running work when its consumer ends, so the next consumer starts at once."""

    def on_stop(self) -> None:
        self.executor.shutdown(wait=False, cancel_futures=True)


class _Consumer:
    """Runs one Celery worker after the other, in a thread."""

    def __init__(
        self,
        celery: Celery,
        task_handlers: Mapping[str, Callable[[], None]],
        queues: Sequence[str],
        threads: int,
        on_ready: Callable[[], None],
        longest_pause_s: float,
    ) -> None:
        celery.conf.task_queues = [direct(name) for name in queues]
        options = celery.conf.broker_transport_options
        celery.conf.broker_transport_options = {"socket_timeout": SILENT_S, **options}
        for name, handler in task_handlers.items():
            celery.task(_without_arguments(handler), name=name, ignore_result=True)
        self._celery = celery
        self._threads = threads
        self._on_ready = on_ready
        self._longest_pause_s = longest_pause_s
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._go, name="consumer", daemon=True)

    def start(self) -> None:
        @setup_logging.connect(weak=False)
        def _keep_our_logging(**_: Any) -> None:
            """Without a receiver Celery sets the root logger to its own level, and "ready" is never logged."""

        @worker_ready.connect(weak=False)
        def _ready(**_: Any) -> None:
            self._on_ready()

        # Celery warns of running as root because of pickle, which is not accepted here.
        warnings.filterwarnings("ignore", category=SecurityWarning)
        logging.getLogger("celery.worker").addFilter(_in_one_line)
        self._thread.start()

    def stop(self) -> None:
        """Let go of the queue. A consumer that hangs is left behind."""
        self._stopping.set()
        state.should_stop = 0  # an exit code; Celery stops on anything but None and False
        self._thread.join(_LET_GO_S)

    def _go(self) -> None:
        pause_s = first_pause_s = min(FIRST_PAUSE_S, self._longest_pause_s)
        while not self._stopping.is_set():
            began = time.monotonic()
            self._hear()
            if self._stopping.is_set():
                return
            if time.monotonic() - began > STEADY_S:
                pause_s = first_pause_s
            log.warning("not receiving wake-ups; polling for work meanwhile, next try in %.1f s", pause_s)
            self._stopping.wait(pause_s)
            pause_s = min(2 * pause_s, self._longest_pause_s)

    def _hear(self) -> None:
        """Run one Celery worker until it ends, for whatever reason."""
        set_event_loop(None)  # the event loop of the worker before is closed
        state.reset_state()
        try:
            worker = self._celery.Worker(
                pool=_Pool,
                concurrency=self._threads,
                loglevel="WARNING",
                without_gossip=True,
                without_mingle=True,
                quiet=True,
            )
            worker.start()
        except BaseException as error:  # Celery ends itself with SystemExit, and fails on what Redis refuses
            log.error("Celery ended: %r", error)


def _in_one_line(record: logging.LogRecord) -> bool:
    """Drop the traceback: a Redis that refuses for hours needs none at every try."""
    record.exc_info = None
    return True


def _without_arguments(handler: Callable[[], None]) -> Callable[[], None]:
    def task() -> None:
        handler()

    return task


@contextmanager
def _signals() -> Iterator[Callable[[], None]]:
    """Yield a function that waits until the process is told to stop. A second SIGINT ends the process at once.

    The handler only writes to a pipe. It interrupts the main thread, so anything else that it called might wait for a
    lock that the main thread holds.
    """
    reading, writing = os.pipe()

    def handle(number: int, _: FrameType | None) -> None:
        if number == signal.SIGINT:
            signal.signal(signal.SIGINT, signal.SIG_DFL)
        os.write(writing, b".")

    before = {number: signal.signal(number, handle) for number in (signal.SIGTERM, signal.SIGINT)}

    def told() -> None:
        os.read(reading, 1)

    try:
        yield told
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
        os.close(reading)
        os.close(writing)
