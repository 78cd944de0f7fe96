"""Exit codes of the command, a contract with scripts.

0 done, or a verdict that is a pass; 1 a verdict that is a fail; 2 a verdict that is inconclusive. Errors are 64 and
above, after sysexits.h where that has a word for it, so that no error is ever taken for a verdict.
"""

from __future__ import annotations

from enum import IntEnum

from ringtrue.errors import (
    APIError,
    AudioCorrupted,
    Conflict,
    ConnectionFailed,
    Forbidden,
    InvalidRequest,
    JobFailed,
    NotFound,
    RingtrueError,
    StudyTimedOut,
    TooManyRequests,
    Unauthorized,
    Unavailable,
    UnexpectedAnswer,
    WaitTimedOut,
)


class ExitCode(IntEnum):
    """How a command ends."""

    DONE = 0
    VERDICT_FAIL = 1
    VERDICT_INCONCLUSIVE = 2
    USAGE = 64  # the command line, or a setting, is wrong
    REFUSED = 65  # the gateway does not take this request
    NOT_FOUND = 66  # no such job, pin or study, or not the caller's
    UNAVAILABLE = 69  # the gateway does not answer, is busy or is not ready
    INTERNAL = 70  # a fault, here or in the gateway
    CANNOT_WRITE = 73  # the file to write cannot be written
    TIMED_OUT = 75  # not there in time; the job goes on
    JOB_FAILED = 76  # what was waited for ended without what it was for
    NO_PERMISSION = 77  # no key, not a good one, or not for this
    MISSING_PART = 78  # this installation lacks what the command needs
    INTERRUPTED = 130  # by Ctrl-C
    NOBODY_READS = 141  # whoever read our output has gone


_BY_ERROR: tuple[tuple[type[RingtrueError], ExitCode], ...] = (
    (ConnectionFailed, ExitCode.UNAVAILABLE),
    (TooManyRequests, ExitCode.UNAVAILABLE),
    (Unavailable, ExitCode.UNAVAILABLE),
    (InvalidRequest, ExitCode.REFUSED),
    (Conflict, ExitCode.REFUSED),
    (Unauthorized, ExitCode.NO_PERMISSION),
    (Forbidden, ExitCode.NO_PERMISSION),
    (NotFound, ExitCode.NOT_FOUND),
    (APIError, ExitCode.INTERNAL),
    (UnexpectedAnswer, ExitCode.INTERNAL),
    (AudioCorrupted, ExitCode.INTERNAL),
    (JobFailed, ExitCode.JOB_FAILED),
    (WaitTimedOut, ExitCode.TIMED_OUT),
    (StudyTimedOut, ExitCode.TIMED_OUT),
)


def exit_code_of(error: RingtrueError) -> ExitCode:
    """The first line of the table that fits."""
    return next((code for family, code in _BY_ERROR if isinstance(error, family)), ExitCode.INTERNAL)
