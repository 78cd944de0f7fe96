"""What a process gives up for good: new privileges, capabilities, core dumps, and being inspected by others.

Owns the calls of prctl(2) and capset(2). Each function does nothing if the system has no such call.
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import signal
import struct
import sys

_PR_SET_PDEATHSIG, _PR_SET_DUMPABLE, _PR_CAPBSET_DROP = 1, 4, 24
_PR_SET_CHILD_SUBREAPER, _PR_SET_NO_NEW_PRIVS = 36, 38
_CAPGET_AND_CAPSET = {"x86_64": (125, 126), "aarch64": (90, 91)}
_CAPABILITIES_VERSION_3 = 0x20080522
_OF_FILES = 0b110
"""CAP_DAC_OVERRIDE and CAP_DAC_READ_SEARCH: a host that runs as root still reads files in another user's volume."""
_CAPABILITIES = 64


def forbid_new() -> str | None:
    """Keep programs that are executed from here on from gaining rights. Return ``None`` when done, else why not."""
    return None if _prctl(_PR_SET_NO_NEW_PRIVS, 1) else "prctl: no_new_privs cannot be set"


def drop_capabilities() -> None:
    """Drop all capabilities of this process, root's or granted ones, except those that open files."""
    numbers = _CAPGET_AND_CAPSET.get(os.uname().machine) if hasattr(os, "uname") else None
    if sys.platform != "linux" or numbers is None:
        return
    for capability in range(_CAPABILITIES):
        if not _OF_FILES >> capability & 1:
            _prctl(_PR_CAPBSET_DROP, capability)
    syscall = ctypes.CDLL(None, use_errno=True).syscall
    header = ctypes.create_string_buffer(struct.pack("<Ii", _CAPABILITIES_VERSION_3, 0))
    sets = ctypes.create_string_buffer(struct.calcsize("<6I"))  # effective, permitted, inheritable: low, then high
    if syscall(ctypes.c_long(numbers[0]), header, sets) == 0:
        low = [bits & _OF_FILES for bits in struct.unpack("<6I", sets.raw)[:3]]
        kept = ctypes.create_string_buffer(struct.pack("<6I", *low, 0, 0, 0), len(sets))
        syscall(ctypes.c_long(numbers[1]), header, kept)


def no_core_dumps() -> None:
    """Keep the memory of this process and its children from being written to disk when they crash."""
    with contextlib.suppress(ImportError, ValueError, OSError):
        import resource  # Windows has none

        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def hide_from_others() -> None:
    """Keep other processes of the same user from reading this one's memory, environment or descriptors, or taking one.

    Root still can. For every process that knows a secret. exec(2) undoes it, so children are open again.
    """
    no_core_dumps()
    _prctl(_PR_SET_DUMPABLE, 0)


def adopt_orphans() -> None:
    """Make orphans of descendants children of this process, so that it can end them."""
    _prctl(_PR_SET_CHILD_SUBREAPER, 1)


def die_with_parent() -> None:
    """Get SIGKILL when the thread that started this process ends. That thread must live as long as its process."""
    _prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)


def go_on_without_parent() -> None:
    """Get SIGCONT when the thread that started this process ends, at the latest with its process.

    A launcher that was stopped would otherwise not notice that it is alone.
    """
    _prctl(_PR_SET_PDEATHSIG, signal.SIGCONT)


def _prctl(option: int, argument: int) -> bool:
    if sys.platform != "linux":
        return False
    prctl = ctypes.CDLL(None, use_errno=True).prctl
    return bool(prctl(ctypes.c_int(option), *map(ctypes.c_ulong, (argument, 0, 0, 0))) == 0)
