"""How long a request wants to wait: ``?wait=n`` and ``Prefer: wait=n`` or ``respond-async`` (RFC 7240).

Owns the reading of both. A preference that is not understood is ignored; a wrong query parameter is refused.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from shared.errors import FieldError, InvalidRequest
from shared.values.numbers import whole_in

MAX_WAIT_S = 60


@dataclass(frozen=True, slots=True)
class Preference:
    """How long to wait. ``wait_s``: seconds that the answer may take to become final.

    ``applied``: value of ``Preference-Applied``."""

    wait_s: float
    applied: str | None

    @property
    def headers(self) -> dict[str, str]:
        return {} if self.applied is None else {"Preference-Applied": self.applied}


def read_preference(prefer: Iterable[str]) -> Preference:
    """Return the preference of the ``Prefer`` headers.

    ``respond-async`` overrides ``wait``. Longer waits are cut to `MAX_WAIT_S`."""
    wait: str | None = None
    for preference in (one.strip() for header in prefer for one in header.split(",")):
        name, _, value = preference.partition(";")[0].partition("=")
        match name.strip().lower():
            case "respond-async":
                return Preference(0, "respond-async")
            case "wait" if wait is None:  # the first of two with the same name counts
                wait = value.strip().strip('"')
    if wait == "":
        wait = str(MAX_WAIT_S)
    if wait is None or not (wait.isascii() and wait.isdecimal()):
        return Preference(0, None)
    seconds = min(int(wait[:9]), MAX_WAIT_S)
    return Preference(seconds, f"wait={seconds}")


def read_wait(value: str) -> Preference:
    """Return the preference of ``?wait=n``. Raises `InvalidRequest` unless it is a whole number up to `MAX_WAIT_S`."""
    try:
        if (seconds := whole_in(value)) <= MAX_WAIT_S:
            return Preference(seconds, None)
    except ValueError:
        pass
    raise InvalidRequest((FieldError("/wait", f"must be a whole number of seconds from 0 to {MAX_WAIT_S}"),))
