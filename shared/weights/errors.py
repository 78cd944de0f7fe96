"""What can be wrong with a catalog, a lock or the files of a pin.

RingtrueError
├── CatalogInvalid          catalog.toml or catalog.lock cannot be served; the message names the place
├── NotLocked               the pin has no lock yet
├── InUse                   the files of a pin cannot be removed now
└── FilesWrong              the files of a pin are not what its lock says
    ├── NotPulled           some are missing, none is wrong
    └── LockMismatch        bytes differ, something is there that should not be, or a link leads elsewhere
"""

from __future__ import annotations

from collections.abc import Sequence

from shared.errors import FailureCode, RingtrueError


class CatalogInvalid(RingtrueError):
    """A catalog or a lock that cannot be served; the message names file and place."""


class NotLocked(RingtrueError):
    """The catalog names the pin, the lock does not."""


class InUse(RingtrueError):
    """A running worker serves the pin, or it is being pulled."""


class FilesWrong(RingtrueError):
    """The files of a pin are not what its lock says; the message names the first and counts the others."""

    code: FailureCode

    def __init__(self, message: str, every: Sequence[str] = ()) -> None:
        super().__init__(message)
        self.every = every
        """All that is wrong, where there is more than the message."""


class NotPulled(FilesWrong):
    """Files are missing, and what is there is right."""

    code = FailureCode.MODEL_NOT_PULLED


class LockMismatch(FilesWrong):
    """Bytes differ, something is there that should not be, or a link leads elsewhere."""

    code = FailureCode.MODEL_LOCK_MISMATCH
