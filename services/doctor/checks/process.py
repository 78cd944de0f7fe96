"""Checks this process: its Python, its limits, its settings."""

from __future__ import annotations

import platform
import resource
from collections.abc import Iterator, Sequence

from services.doctor.findings import Finding, fail, ok, warn

WANTED = (3, 11)
_FEWEST_FILES = 1024
"""A gateway holds a socket per waiting client, a worker a few pipes per host."""


def python(version: tuple[int, int], wanted: tuple[int, int] = WANTED) -> Iterator[Finding]:
    """Check that the interpreter is the one that the pins were resolved for."""
    if version == wanted:
        yield ok(f"{platform.python_version()} on {platform.system()} {platform.machine()}")
        return
    number = ".".join(map(str, wanted))
    yield fail(
        f"this is Python {'.'.join(map(str, version))}, but Ringtrue needs {number}",
        f"make setup PYTHON=/path/to/python{number}",
    )


def open_files(fewest: int = _FEWEST_FILES) -> Iterator[Finding]:
    """Check how many files and sockets a process may open."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft == resource.RLIM_INFINITY or soft >= fewest:
        yield ok(f"a process may open {'any number of' if soft == resource.RLIM_INFINITY else soft} files")
        return
    most = hard if hard != resource.RLIM_INFINITY else 65536
    yield warn(f"a process may open only {soft} files; it needs at least {fewest}", f"ulimit -n {most}")


def settings(misspelt: Sequence[str]) -> Iterator[Finding]:
    """Check the settings. ``misspelt``: a sentence for each ``RINGTRUE_…`` variable that nothing reads."""
    for sentence in misspelt:
        yield warn(sentence, "see docs/settings.md for all settings")
    if not misspelt:
        yield ok("all RINGTRUE_… variables are known settings")
