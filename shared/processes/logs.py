"""How every process logs: one line per event to stderr. Only composition roots call this."""

from __future__ import annotations

import logging
import sys
from collections.abc import Iterable

from shared.values.printable import printable

_QUIET = ("kombu", "celery", "httpx", "httpcore", "urllib3", "alembic", "uvicorn")


class _Formatter(logging.Formatter):
    """Escapes control characters, so that text from a request or a file cannot end a line or move the cursor.

    Further lines of a message are indented.
    """

    def format(self, record: logging.LogRecord) -> str:
        return printable(super().format(record))

    def formatMessage(self, record: logging.LogRecord) -> str:
        return super().formatMessage(record).replace("\n", "\n  ")


def set_up(service: str, *, level: int = logging.INFO, notices: Iterable[str] = ()) -> None:
    """Log to stderr as ``time level service logger: message``; then log the notices as warnings."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(_Formatter(f"%(asctime)s %(levelname)s {service} %(name)s: %(message)s"))
    logging.basicConfig(level=level, handlers=[handler], force=True)
    for name in _QUIET:
        logging.getLogger(name).setLevel(logging.WARNING)
    for notice in notices:
        logging.getLogger(service).warning(notice)
