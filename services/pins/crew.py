"""Several threads over one list of work, which a caller can leave at any moment.

Whoever waits for a server cannot be told to stop. So these threads are daemons: an interrupted process ends at once.
"""

from __future__ import annotations

import queue
import threading
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from typing import TypeVar

Item = TypeVar("Item")
Done = TypeVar("Done")


def done_by_crew(work: Callable[[Item], Done], items: Iterable[Item], threads: int) -> Iterator[tuple[Item, Done]]:
    """What ``work`` gives for each item, as it is done; begun in order. What it raises is raised here."""
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
            except BaseException as error:  # raised where somebody waits for it
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
