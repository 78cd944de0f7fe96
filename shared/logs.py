"""How every process logs: one line per event to stderr. Called by composition roots only."""

from __future__ import annotations

import logging
import sys
from collections.abc import Iterable

_QUIET = ("kombu", "celery", "httpx", "httpcore", "urllib3", "alembic", "uvicorn")


def set_up(service: str, *, level: int = logging.INFO, notices: Iterable[str] = ()) -> None:
    """Log to stderr as ``time level service logger: message``; then say the notices as warnings."""
    logging.basicConfig(
        level=level,
        stream=sys.stderr,
        format=f"%(asctime)s %(levelname)s {service} %(name)s: %(message)s",
        force=True,
    )
    for name in _QUIET:
        logging.getLogger(name).setLevel(logging.WARNING)
    for notice in notices:
        logging.getLogger(service).warning(notice)
