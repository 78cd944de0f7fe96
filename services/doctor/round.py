"""Runs all checks at once, each in a thread of its own.

Owns that a check that crashes or hangs costs only its own line.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future
from functools import partial
from typing import TypeVar

from services.doctor.children import TooSlow
from services.doctor.findings import Check, Finding, fail, not_tried

T = TypeVar("T")

_BUSY = "run this again when the machine is less busy; if it stays like this, find out what hangs"
_FAULT = "if the checks above are ok, this is an error in Ringtrue; please report it"


def make_round(checks: Sequence[Check]) -> Iterator[tuple[Check, Sequence[Finding]]]:
    """Start all checks. Yield what each found, in the order of ``checks``, as soon as it is known."""
    began = time.monotonic()
    looks = [begun(partial(_looked, check)) for check in checks]
    for check, look in zip(checks, looks, strict=True):
        yield check, _found(look, check, began + check.limit_s - time.monotonic())


def begun(call: Callable[[], T]) -> Future[T]:
    """Run ``call`` in a thread that the process does not wait for when it ends."""
    future: Future[T] = Future()

    def work() -> None:
        try:
            future.set_result(call())
        except Exception as error:
            future.set_exception(error)

    threading.Thread(target=work, daemon=True).start()
    return future


def _looked(check: Check) -> list[Finding]:
    return list(check.look())


def _found(look: Future[list[Finding]], check: Check, patience_s: float) -> Sequence[Finding]:
    try:
        return look.result(timeout=max(0.0, patience_s))
    except ModuleNotFoundError as error:
        return [fail(f"cannot be checked without {error.name}", "pip install 'ringtrue[core]'")]
    except Exception as error:  # the one catch-all: an unexpected error of a check becomes a line like any other
        if not look.done():
            return [not_tried(f"no answer within {check.limit_s:g} s", _BUSY)]
        if isinstance(error, TooSlow):
            return [not_tried(str(error), _BUSY)]
        return [fail(f"cannot be checked: {type(error).__name__}: {error}", _FAULT)]
