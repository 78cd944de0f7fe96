"""Runs programs for the checks. Owns how they are started, given up and understood; knows none of them."""

from __future__ import annotations

import signal
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class ChildOutput:
    """The output of a program that has ended."""

    code: int
    output: str
    errors: str

    @property
    def last_words(self) -> str:
        """Why it failed: the last line of its error output, or the signal that it died of."""
        if self.code < 0:
            return f"died of {signal.Signals(-self.code).name}"
        lines = (self.errors or self.output).strip().splitlines()
        return lines[-1].strip() if lines else f"ended with exit code {self.code}"


class NoAnswer(Exception):
    """The program is missing, cannot be started or did not end in time. The message says which."""


class TooSlow(NoAnswer):
    """The program did not end in time. A busy machine may be the reason."""


def ask(argv: Sequence[str], timeout_s: float) -> ChildOutput:
    """Run a program to its end. Raises `NoAnswer`."""
    try:
        done = subprocess.run(
            argv,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            encoding="utf-8",
            errors="replace",
            timeout=timeout_s,
            check=False,
        )
    except FileNotFoundError as error:
        raise NoAnswer(f"{argv[0]} is not installed") from error
    except OSError as error:
        raise NoAnswer(f"{argv[0]} cannot be started: {error.strerror}") from error
    except subprocess.TimeoutExpired as error:
        raise TooSlow(f"{argv[0]} did not end within {timeout_s:g} s") from error
    return ChildOutput(done.returncode, done.stdout, done.stderr)
