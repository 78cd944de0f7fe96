"""No network for a host of models, held by the kernel.

Owns the seccomp filter (Linux, x86-64 and arm64; seccomp(2), filter.txt of the kernel's documentation). After
`close_network` no thread of the process and no child of it can make a socket that leads out of the machine, whatever
language asks: what a model's own code, a C library or a downloader tries ends in EPERM. Sockets within the machine
(AF_UNIX) stay; what is open already stays as well, which in a host is the pipe to its parent.

Where the kernel does not let a process do this, `close_network` says why and the host goes on, told to be offline by
the environment alone. ``python -m shared.seclusion`` prints which of the two it is here.
"""

from __future__ import annotations

import ctypes
import errno
import json
import os
import platform
import struct
import sys
from collections.abc import Sequence

OFFLINE = {"HF_HUB_OFFLINE": "1", "TRANSFORMERS_OFFLINE": "1", "HF_HUB_DISABLE_TELEMETRY": "1"}
"""What libraries are told besides, so that they say at once what is missing instead of trying to fetch it."""

_PR_SET_NO_NEW_PRIVS, _SET_MODE_FILTER, _ALL_THREADS = 38, 1, 1
_LOAD, _IF_EQUAL, _IF_NOT_BELOW, _RETURN = 0x20, 0x15, 0x35, 0x06
_ALLOW, _REFUSE, _KILL = 0x7FFF0000, 0x00050000 | errno.EPERM, 0x80000000
_NUMBER_AT, _ARCHITECTURE_AT, _FIRST_ARGUMENT_AT = 0, 4, 16  # in struct seccomp_data
_AF_UNIX = 1
_X32 = 0x40000000
"""System calls of the x32 ABI, which share the architecture of x86-64, have this bit."""

_SYSTEM_CALLS = {
    "x86_64": {"audit": 0xC000003E, "seccomp": 317, "socket": 41, "io_uring_setup": 425},
    "aarch64": {"audit": 0xC00000B7, "seccomp": 277, "socket": 198, "io_uring_setup": 425},
}


class _Program(ctypes.Structure):
    """struct sock_fprog."""

    _fields_ = (("length", ctypes.c_ushort), ("filter", ctypes.c_void_p))


def close_network() -> str | None:
    """Close it for this process and all that it starts; ``None`` when done, else why it could not be.

    It cannot be opened again. From then on no child gains rights by being executed (no_new_privs).
    """
    calls = _SYSTEM_CALLS.get(platform.machine())
    if sys.platform != "linux" or calls is None:
        return f"no filter for {sys.platform} on {platform.machine()}"
    code = b"".join(_instructions(calls))
    buffer = ctypes.create_string_buffer(code, len(code))
    program = _Program(len(code) // 8, ctypes.cast(buffer, ctypes.c_void_p))
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.prctl(_PR_SET_NO_NEW_PRIVS, *map(ctypes.c_ulong, (1, 0, 0, 0))) != 0:
        return f"prctl: {os.strerror(ctypes.get_errno())}"
    set_filter = [ctypes.c_long(calls["seccomp"]), ctypes.c_ulong(_SET_MODE_FILTER), ctypes.c_ulong(_ALL_THREADS)]
    if libc.syscall(*set_filter, ctypes.byref(program)) != 0:
        return f"seccomp: {os.strerror(ctypes.get_errno())}"
    return None


def _instructions(calls: dict[str, int]) -> Sequence[bytes]:
    """A program of the classic Berkeley packet filter: each step is code, jump if true, jump if false, operand."""
    return [
        _step(_LOAD, operand=_ARCHITECTURE_AT),
        _step(_IF_EQUAL, then=1, operand=calls["audit"]),
        _step(_RETURN, operand=_KILL),  # system calls of a 32-bit ABI have other numbers
        _step(_LOAD, operand=_NUMBER_AT),
        _step(_IF_NOT_BELOW, then=6, operand=_X32),  # -> refuse
        _step(_IF_EQUAL, then=5, operand=calls["io_uring_setup"]),  # -> refuse: a ring makes sockets by itself
        _step(_IF_EQUAL, then=1, operand=calls["socket"]),
        _step(_RETURN, operand=_ALLOW),
        _step(_LOAD, operand=_FIRST_ARGUMENT_AT),
        _step(_IF_EQUAL, otherwise=1, operand=_AF_UNIX),
        _step(_RETURN, operand=_ALLOW),
        _step(_RETURN, operand=_REFUSE),
    ]


def _step(code: int, *, then: int = 0, otherwise: int = 0, operand: int = 0) -> bytes:
    return struct.pack("<HBBI", code, then, otherwise, operand)


if __name__ == "__main__":
    refused = close_network()
    print(json.dumps({"enforced": refused is None, "how": "seccomp" if refused is None else refused}))
