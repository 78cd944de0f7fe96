"""The round: every check at once, each in a thread of its own.

Owns that a check which crashes or hangs costs its own line and nothing else.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future
from functools import partial
from typing import TypeVar

from services.doctor.findings import Check, Finding, fail

T = TypeVar("T")

_FAULT = "if what it stands on is in order, this is a fault of ringtrue: report it"


def make_round(checks: Sequence[Check]) -> Iterator[tuple[Check, Sequence[Finding]]]:
    """Start all, then give what each found, in the order of ``checks`` and as soon as it is known."""
    began = time.monotonic()
    looks = [begun(partial(_looked, check)) for check in checks]
    for check, look in zip(checks, looks, strict=True):
        yield check, _found(look, check, began + check.limit_s - time.monotonic())


def begun(call: Callable[[], T]) -> Future[T]:
    """``call`` in a thread that nobody waits for when the process ends."""
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
        return [fail(f"cannot be looked at without {error.name}", "pip install 'ringtrue[core]'")]
    except Exception as error:  # the one seam: what a check did not foresee is a line like any other
        if not look.done():
            return [fail(f"no answer within {check.limit_s:g} s", "see what hangs there, then run this again")]
        return [fail(f"cannot be looked at: {type(error).__name__}: {error}", _FAULT)]
