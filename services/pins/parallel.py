"""Several threads over one list of work, which a caller can leave at any moment.

A thread that waits for a server cannot be stopped. So these threads are daemons, and an interrupted process ends at
once.
"""

from __future__ import annotations

import queue
import threading
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from typing import TypeVar

Item = TypeVar("Item")
Done = TypeVar("Done")


def done_in_parallel(work: Callable[[Item], Done], items: Iterable[Item], threads: int) -> Iterator[tuple[Item, Done]]:
    """Yield each item with the result of ``work``, as they are done; they are begun in order. What ``work`` raises is
    raised here."""
    todo = deque(items)
    outcomes: queue.SimpleQueue[tuple[Item, Done] | BaseException] = queue.SimpleQueue()
    expected = len(todo)

    def run() -> None:
        while True:
            try:
                item = todo.popleft()
            except IndexError:
                return
            try:
                outcomes.put((item, work(item)))
            except BaseException as error:  # raised again in the calling thread
                outcomes.put(error)

    for _ in range(min(threads, expected)):
        threading.Thread(target=run, name="pull", daemon=True).start()
    try:
        for _ in range(expected):
            outcome = outcomes.get()
            if isinstance(outcome, BaseException):
                raise outcome
            yield outcome
    finally:
        todo.clear()
