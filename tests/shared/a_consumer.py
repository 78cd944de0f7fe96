"""A process that hears wake-ups and does nothing: ``python a_consumer.py REDIS_URL``. Says ``ready``, and ``looked`` at
every look, with or without a wake-up; every second look goes wrong."""

from __future__ import annotations

import sys
from itertools import count
from pathlib import Path

from shared.messages.consumer import consume
from shared.messages.queue import SCORE, SCORING_QUEUE, make_celery
from shared.processes import logs


def main(redis_url: str) -> int:
    numbers = count()

    def handler() -> None:
        sys.__stdout__.write("looked\n")
        sys.__stdout__.flush()
        if next(numbers) % 2:
            raise ValueError("a bug")

    def ready() -> None:
        sys.__stdout__.write("ready\n")
        sys.__stdout__.flush()

    logs.set_up("consumer")
    celery, task_handlers = make_celery(redis_url), {SCORE: handler}
    pace = {"look_every_s": 0.2, "longest_pause_s": 0.2}
    return consume(celery, task_handlers, [SCORING_QUEUE], threads=2, on_ready=ready, on_stopping=lambda: None, **pace)


if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).parents[2]))
    sys.exit(main(sys.argv[1]))
