"""Celery's doors into the worker, one line each: policy is in shared/queue.py, work in synthesis.py."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from services.worker import synthesis
from services.worker.synthesis import Bench
from shared.queue import SPEAK


def doors(bench: Bench) -> Mapping[str, Callable[[], None]]:
    """Task name -> what a bell of it does."""
    return {SPEAK: lambda: synthesis.run(bench)}
