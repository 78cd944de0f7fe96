"""The worker's Celery task handlers, one line each. The policy is in shared/messages/queue.py, the work in
synthesis.py."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from services.worker import synthesis
from services.worker.synthesis import SynthesisDeps
from shared.messages.queue import SPEAK


def task_handlers(deps: SynthesisDeps) -> Mapping[str, Callable[[], None]]:
    """Return the task handlers by task name."""
    return {SPEAK: lambda: synthesis.run(deps)}
