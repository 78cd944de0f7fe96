"""The pins whose code may be run here, because somebody of this deployment has read it; by their locks.

Owns ``catalog.trusted``, beside the lock. A catalog, a lock and an archive are passed on, and what they say about trust
is their author's word. This file is written only by commands that were given a pin's name, and is never passed on. A
pin that is locked again is a different one, and must be trusted again.

    {"schema": 1, "locks": {"<lock sha256>": "PIN"}}
"""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable
from pathlib import Path

from shared.errors import FailureCode
from shared.files.folder_lock import folder_lock
from shared.files.whole_file import write_whole
from shared.weights.errors import FilesWrong
from shared.weights.lock import SCHEMA, PinLock


class CodeNotTrusted(FilesWrong):
    """A pin that runs code of its repository, which nobody here has trusted."""

    code = FailureCode.MODEL_NOT_PULLED


def trusted_file(lock_file: Path) -> Path:
    """Return the file that records trust for the pins of this ``catalog.lock``."""
    return lock_file.with_suffix(".trusted")


def trusted(lock_file: Path) -> Collection[str]:
    """Return the hashes of the trusted locks; none if the file is missing or cannot be read."""
    try:
        data = json.loads(trusted_file(lock_file).read_bytes())
        return frozenset(data["locks"]) if data["schema"] == SCHEMA else frozenset()
    except (OSError, ValueError, KeyError, TypeError):
        return frozenset()


def trust(lock_file: Path, locks: Iterable[PinLock]) -> None:
    """Record that the code of these pins, as they are locked, may be run on this machine. Pins that run no code of
    their repositories need no record, and leave the file as it is."""
    new = {lock.sha256: lock.name for lock in locks if lock.trust_remote_code}
    if not new:
        return
    path = trusted_file(lock_file)
    with folder_lock(path.parent):
        try:
            known = dict(json.loads(path.read_bytes())["locks"])
        except (OSError, ValueError, KeyError, TypeError):
            known = {}
        write_whole(path, json.dumps({"schema": SCHEMA, "locks": known | new}, indent=2) + "\n")


def untrusted(lock_file: Path, locks: Iterable[PinLock], named: Collection[str] = ()) -> list[str]:
    """Return the names of those ``locks`` that would run code and are neither trusted here nor in ``named``."""
    known = trusted(lock_file)
    return [one.name for one in locks if one.trust_remote_code and one.sha256 not in known and one.name not in named]


def check_trusted(lock_file: Path, lock: PinLock) -> None:
    """Raise `CodeNotTrusted` if the pin would run code that is not trusted here."""
    if untrusted(lock_file, [lock]):
        raise CodeNotTrusted(f"{lock.name} {HOW_TO_TRUST}".format(pin=lock.name))


HOW_TO_TRUST = (
    "runs code from its repository (trust_remote_code), which is not trusted on this machine; read the code, then run "
    "`ringtrue models pull {pin} --trust-remote-code {pin}`"
)
