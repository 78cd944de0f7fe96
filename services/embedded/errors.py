"""Why `ringtrue up` or `down` gives up, each with its exit code.

    StackError
    ├── AlreadyRunning     a stack runs in this data folder (75)
    ├── FolderBusy         another `up` or `down` is at work in this data folder (75)
    ├── FolderUnwritable   the data folder cannot be made or written (73)
    ├── DiskFull           too little space for the data folder (74)
    ├── PortUnusable       the port is taken, not allowed, or not of this machine (69)
    ├── ChildFailed        a vital child ended before it was ever ready (its own code from 64 up, else 69)
    └── NotOurs            the stack belongs to another user (77)

The message is one line for people: what is wrong, and what to do about it. Codes follow sysexits.h.
"""

from __future__ import annotations

import os

from shared.errors import RingtrueError


class StackError(RingtrueError):
    """The base of all errors above."""

    exit_code: int = os.EX_SOFTWARE


class AlreadyRunning(StackError):
    """A stack runs in this data folder."""

    exit_code = os.EX_TEMPFAIL


class FolderBusy(StackError):
    """Another `up` or `down` is at work in this data folder."""

    exit_code = os.EX_TEMPFAIL


class FolderUnwritable(StackError):
    """The data folder cannot be made or written."""

    exit_code = os.EX_CANTCREAT


class DiskFull(StackError):
    """Too little space for the data folder."""

    exit_code = os.EX_IOERR


class PortUnusable(StackError):
    """The port is taken, not allowed, or its host is not an address of this machine."""

    exit_code = os.EX_UNAVAILABLE


class ChildFailed(StackError):
    """A vital child ended before it was ever ready. ``returncode`` is in the form of `subprocess`."""

    def __init__(self, message: str, returncode: int | None) -> None:
        super().__init__(message)
        told_us = returncode is not None and returncode >= os.EX_USAGE
        self.exit_code = returncode if told_us and returncode is not None else os.EX_UNAVAILABLE


class NotOurs(StackError):
    """The stack belongs to another user."""

    exit_code = os.EX_NOPERM
