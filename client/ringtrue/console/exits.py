"""Exit codes of the command, a contract with scripts.

0: done, or the verdict pass; 1: the verdict fail; 2: the verdict inconclusive. Errors are 64 and above, after
sysexits.h where it has a matching code, so that no error is ever taken for a verdict.
"""

from __future__ import annotations

from enum import IntEnum

from ringtrue.errors import (
    APIError,
    AudioCorrupted,
    Conflict,
    ConnectionFailed,
    EnvironmentUnusable,
    Forbidden,
    FormatUnavailable,
    InvalidRequest,
    NotFound,
    NotWritten,
    OutputFailed,
    RingtrueError,
    TextInvalid,
    TooManyRequests,
    Unauthorized,
    Unavailable,
    UnexpectedAnswer,
)
from ringtrue.jobs import JobFailed, WaitTimedOut
from ringtrue.studies import StudyTimedOut


class ExitCode(IntEnum):
    """How a command ends."""

    DONE = 0
    VERDICT_FAIL = 1
    VERDICT_INCONCLUSIVE = 2
    USAGE = 64  # the command line, or a setting, is wrong
    REFUSED = 65  # the gateway refuses this request
    NOT_FOUND = 66  # no such job, pin or study, or not the caller's
    UNAVAILABLE = 69  # the gateway does not answer, is busy or is not ready
    INTERNAL = 70  # a fault, here or in the gateway
    CANNOT_WRITE = 73  # the output file cannot be written
    TIMED_OUT = 75  # not done in time; the job goes on
    JOB_FAILED = 76  # the job or study ended without what was waited for
    NO_PERMISSION = 77  # no key, an invalid one, or one that does not permit this
    MISSING_PART = 78  # this installation lacks what the command needs, or its environment cannot be used
    INTERRUPTED = 130  # by Ctrl-C
    NOBODY_READS = 141  # the reader of our output has gone


_BY_ERROR: tuple[tuple[type[RingtrueError], ExitCode], ...] = (
    (ConnectionFailed, ExitCode.UNAVAILABLE),
    (EnvironmentUnusable, ExitCode.MISSING_PART),
    (TextInvalid, ExitCode.REFUSED),
    (FormatUnavailable, ExitCode.USAGE),
    (NotWritten, ExitCode.CANNOT_WRITE),
    (OutputFailed, ExitCode.CANNOT_WRITE),
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
    """Return the exit code of the first line of the table that matches."""
    if isinstance(error, OutputFailed) and error.gone:
        return ExitCode.NOBODY_READS
    return next((code for family, code in _BY_ERROR if isinstance(error, family)), ExitCode.INTERNAL)
