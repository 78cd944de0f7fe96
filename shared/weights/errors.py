"""What can be wrong with a catalog, a lock or the files of a pin.

RingtrueError
├── CatalogInvalid          catalog.toml or catalog.lock cannot be used; the message names the place
├── NotLocked               the pin has no lock yet
├── InUse                   the files of a pin cannot be removed now
└── FilesWrong              the files of a pin are not what its lock says
    ├── NotPulled           some are missing, none is wrong
    ├── CodeNotTrusted      it would run code of its repository that nobody has trusted here (trust.py)
    └── LockMismatch        bytes differ, there is a file that should not be, or a link leads elsewhere
"""

from __future__ import annotations

from collections.abc import Sequence

from shared.errors import FailureCode, RingtrueError


class CatalogInvalid(RingtrueError):
    """A catalog or a lock that cannot be used. The message names file and place."""


class NotLocked(RingtrueError):
    """The catalog has the pin, but the lock does not."""


class InUse(RingtrueError):
    """A running worker serves the pin, or it is being pulled."""


class FilesWrong(RingtrueError):
    """The files of a pin are not what its lock says. The message names the first fault and counts the others."""

    code: FailureCode

    def __init__(self, message: str, every: Sequence[str] = ()) -> None:
        super().__init__(message)
        self.every = every
        """All faults, if there are more than the message names."""


class NotPulled(FilesWrong):
    """Files are missing; those that are there are right."""

    code = FailureCode.MODEL_NOT_PULLED


class LockMismatch(FilesWrong):
    """Bytes differ, there is a file that should not be, or a link leads elsewhere."""

    code = FailureCode.MODEL_LOCK_MISMATCH
