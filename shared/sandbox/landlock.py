"""Which files a host may open: a Landlock domain (Linux 5.13 or later; see landlock.rst of the kernel).

Owns the rights and the system calls. A process in a domain also cannot inspect a process outside of it (its memory, its
environment, its descriptors), even of the same user; from Linux 6.12 on it cannot signal one either.
"""

from __future__ import annotations

import ctypes
import os
import stat
import struct
import sys
from collections.abc import Iterable

_CREATE, _ADD, _RESTRICT = 444, 445, 446  # the same numbers on every architecture
_VERSION, _BENEATH = 1, 1
_EXECUTE, _WRITE, _READ, _READ_DIR = 1 << 0, 1 << 1, 1 << 2, 1 << 3
_MAKE_CHAR, _MAKE_BLOCK = 1 << 6, 1 << 11
_REFER, _TRUNCATE, _IOCTL = 1 << 13, 1 << 14, 1 << 15
_FIRST = (1 << 13) - 1
"""All rights of the first version."""
_OF_A_FILE = _EXECUTE | _WRITE | _READ | _TRUNCATE | _IOCTL
_READING = _EXECUTE | _READ | _READ_DIR
_TCP, _TCP_SINCE = 0b11, 4
_SCOPES, _SCOPES_SINCE = 0b11, 6
"""Abstract sockets and signals."""


def version() -> int:
    """Return the version of the kernel's Landlock interface; 0 if it has none, or if it is switched off."""
    if sys.platform != "linux":
        return 0
    return max(0, int(_call(_CREATE, None, ctypes.c_size_t(0), ctypes.c_uint(_VERSION))))


def restrict(read: Iterable[str], write: Iterable[str], listed: Iterable[str] = ()) -> str | None:
    """Let this thread and all that it starts open only what is at or below these paths.

    Return ``None`` when everything is enforced, else what is not. Needs no_new_privs.

    ``read``: may be read and executed. ``write``: may be read, written, created and removed. ``listed``: only the names
    in it may be read. A path that does not exist is skipped.
    """
    known = version()
    if known == 0:
        return "landlock: missing in this kernel, or switched off"
    handled = _FIRST | (_REFER if known > 1 else 0) | (_TRUNCATE if known > 2 else 0) | (_IOCTL if known > 4 else 0)
    attributes = struct.pack("<Q", handled)
    attributes += struct.pack("<Q", _TCP) if known >= _TCP_SINCE else b""
    attributes += struct.pack("<Q", _SCOPES) if known >= _SCOPES_SINCE else b""
    ruleset = _call(_CREATE, attributes, ctypes.c_size_t(len(attributes)), ctypes.c_uint(0))
    if ruleset < 0:
        return f"landlock: {os.strerror(ctypes.get_errno())}"
    try:
        for path in read:
            _allow(ruleset, path, _READING & handled)
        for path in listed:
            _allow(ruleset, path, _READ_DIR)
        for path in write:
            _allow(ruleset, path, handled & ~(_MAKE_CHAR | _MAKE_BLOCK))
        if _call(_RESTRICT, ctypes.c_int(ruleset), ctypes.c_uint(0)) != 0:
            return f"landlock: {os.strerror(ctypes.get_errno())}"
    finally:
        os.close(ruleset)
    return (
        None
        if known >= _SCOPES_SINCE
        else f"landlock: version {known} cannot block signals; version {_SCOPES_SINCE} can"
    )


def _allow(ruleset: int, path: str, rights: int) -> None:
    try:
        opened = os.open(path, getattr(os, "O_PATH", 0) | os.O_CLOEXEC)
    except OSError:
        return
    try:
        if not stat.S_ISDIR(os.fstat(opened).st_mode):
            rights &= _OF_A_FILE
        rule = struct.pack("<Qi", rights, opened)
        if _call(_ADD, ctypes.c_int(ruleset), ctypes.c_int(_BENEATH), rule, ctypes.c_uint(0)) != 0:
            raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()), path)
    finally:
        os.close(opened)


def _call(number: int, *arguments: object) -> int:
    call = ctypes.CDLL(None, use_errno=True).syscall
    call.restype = ctypes.c_long
    return int(call(ctypes.c_long(number), *arguments))
