"""Which system calls a host may not make: a seccomp filter (Linux, x86-64 and arm64; see filter.txt of the kernel).

Owns the table of calls. The filter holds for every thread of the process and for all that it starts, in whatever
language, and cannot be removed. What is already open stays open; in a host that is the pipe to its parent.

Calls that reach out of the machine or into another process are refused (EPERM): every socket except streams within the
machine, and of those ``connect``; reading another process's memory or descriptors; namespaces, mounts, keys, kernel
modules, io_uring (it creates sockets by itself), shared memory and queues of System V, limits of other processes,
typing into a terminal. So is ``truncate`` by path, because Landlock covers it only from Linux 6.2 on. Changes of mode
and owner do nothing and report success, so that libraries that copy files with their mode go on.
"""

from __future__ import annotations

import ctypes
import errno
import os
import struct
import sys
from collections.abc import Iterator, Mapping, Sequence

_SET_MODE_FILTER, _ALL_THREADS = 1, 1
_LOAD, _AND, _IF_EQUAL, _IF_ANY_BIT, _IF_NOT_BELOW, _RETURN = 0x20, 0x54, 0x15, 0x45, 0x35, 0x06
_ERRNO = 0x00050000
_ALLOW, _REFUSE, _KILL = 0x7FFF0000, _ERRNO | errno.EPERM, 0x80000000
_DONE = _ERRNO
"""The call is not made, and the caller is told that it succeeded."""
_UNKNOWN = _ERRNO | errno.ENOSYS
"""As on a kernel that lacks the call. A C library then uses the older call, whose arguments a filter can read."""
_NUMBER_AT, _ARCHITECTURE_AT, _FIRST_ARGUMENT_AT, _ARGUMENT_BYTES = 0, 4, 16, 8  # in struct seccomp_data
_X32 = 0x40000000
"""The bit of system calls of the x32 ABI, which shares the architecture number of x86-64."""
_AF_UNIX, _STREAM, _SEQPACKET, _SOCKET_TYPE = 1, 1, 5, 0xF
_NEW_NAMESPACES = 0x7E020000
"""CLONE_NEWNS, -CGROUP, -UTS, -IPC, -USER, -PID and -NET."""
_TIOCSTI, _TIOCLINUX = 0x5412, 0x541C
"""Both type into a terminal."""

_AUDIT: Mapping[str, int] = {"x86_64": 0xC000003E, "aarch64": 0xC00000B7}

_REFUSED = """
ptrace 101 117, process_vm_readv 310 270, process_vm_writev 311 271, process_madvise 440 440, kcmp 312 272,
process_mrelease 448 448, pidfd_getfd 438 438, perf_event_open 298 241, bpf 321 280, userfaultfd 323 282,
add_key 248 217, request_key 249 218, keyctl 250 219, mount 165 40, umount2 166 39, pivot_root 155 41, chroot 161 51,
open_tree 428 428, move_mount 429 429, fsopen 430 430, fsconfig 431 431, fsmount 432 432, fspick 433 433,
mount_setattr 442 442, open_tree_attr 467 467, unshare 272 97, setns 308 268, io_uring_setup 425 425,
io_uring_enter 426 426, io_uring_register 427 427, open_by_handle_at 304 265, init_module 175 105,
finit_module 313 273, delete_module 176 106, kexec_load 246 104, kexec_file_load 320 294, reboot 169 142,
swapon 167 224, swapoff 168 225, acct 163 89, quotactl 179 60, settimeofday 164 170, clock_settime 227 112,
sethostname 170 161, setdomainname 171 162, syslog 103 116, fanotify_init 300 262, iopl 172 -, ioperm 173 -,
connect 42 203, shmget 29 194, shmat 30 196, shmctl 31 195, msgget 68 186, msgsnd 69 189, msgrcv 70 188,
msgctl 71 187, semget 64 190, semop 65 193, semtimedop 220 192, semctl 66 191, mq_open 240 180, mq_unlink 241 181,
setxattr 188 5, lsetxattr 189 6, fsetxattr 190 7, setxattrat 463 463, removexattr 197 14, lremovexattr 198 15,
fremovexattr 199 16, removexattrat 466 466, truncate 76 45
"""
"""Name, and number on x86-64 and arm64; "-": the architecture has no such call."""
_PRETENDED = """
chmod 90 -, fchmod 91 52, fchmodat 268 53, fchmodat2 452 452, chown 92 -, fchown 93 55, lchown 94 -, fchownat 260 54
"""
_OF_OTHERS_TOO = "prlimit64 302 261, migrate_pages 256 238, move_pages 279 239"
"""Their first argument is a process. Only 0, the caller itself, is allowed."""
_BY_ARGUMENT = "socket 41 198, socketpair 53 199, clone 56 220, clone3 435 435, ioctl 16 29, seccomp 317 277"


class _Program(ctypes.Structure):
    """struct sock_fprog."""

    _fields_ = (("length", ctypes.c_ushort), ("filter", ctypes.c_void_p))


def refuse_calls(*, sockets: bool = True) -> str | None:
    """Refuse the calls from here on. Return ``None`` when done, else why not. Needs no_new_privs.

    ``sockets``: streams within the machine can be created; else no socket at all.
    """
    machine = _machine()
    if sys.platform != "linux" or machine not in _AUDIT:
        return f"seccomp: no filter for {sys.platform} on {machine}"
    code = b"".join(_instructions(machine, sockets=sockets))
    buffer = ctypes.create_string_buffer(code, len(code))
    program = _Program(len(code) // 8, ctypes.cast(buffer, ctypes.c_void_p))
    number = _numbers(_BY_ARGUMENT, machine)["seccomp"]
    called = [ctypes.c_long(number), ctypes.c_ulong(_SET_MODE_FILTER), ctypes.c_ulong(_ALL_THREADS)]
    if ctypes.CDLL(None, use_errno=True).syscall(*called, ctypes.byref(program)) != 0:
        return f"seccomp: {os.strerror(ctypes.get_errno())}"
    return None


def refused_names() -> Sequence[str]:
    """Return the names of the system calls that are refused whatever their arguments."""
    return list(_numbers(_REFUSED, _machine()))


def _machine() -> str:
    return os.uname().machine if hasattr(os, "uname") else "an unknown machine"


def _numbers(table: str, machine: str) -> dict[str, int]:
    column = list(_AUDIT).index(machine) + 1
    rows = [row.split() for row in table.split(",")]
    return {row[0]: int(row[column]) for row in rows if row[column] != "-"}


def _instructions(machine: str, *, sockets: bool) -> Iterator[bytes]:
    """Yield a program of the classic Berkeley packet filter.

    Each step is code, jump if true, jump if false, operand.
    """
    yield _step(_LOAD, operand=_ARCHITECTURE_AT)
    yield _step(_IF_EQUAL, then=1, operand=_AUDIT[machine])
    yield _step(_RETURN, operand=_KILL)  # system calls of a 32-bit ABI have other numbers
    yield _step(_LOAD, operand=_NUMBER_AT)
    yield _step(_IF_NOT_BELOW, otherwise=1, operand=_X32)
    yield _step(_RETURN, operand=_REFUSE)
    calls = _numbers(_BY_ARGUMENT, machine)
    answers = dict.fromkeys(_numbers(_REFUSED, machine).values(), _REFUSE)
    answers |= dict.fromkeys(_numbers(_PRETENDED, machine).values(), _DONE)
    answers[calls["clone3"]] = _UNKNOWN
    if not sockets:
        answers |= {calls["socket"]: _REFUSE, calls["socketpair"]: _REFUSE}
    for number, answer in answers.items():
        yield _step(_IF_EQUAL, otherwise=1, operand=number)
        yield _step(_RETURN, operand=answer)
    judged = dict.fromkeys(_numbers(_OF_OTHERS_TOO, machine).values(), _only_of_itself())
    judged |= {calls["clone"]: _no_namespaces(), calls["ioctl"]: _no_typing()}
    judged |= {calls["socket"]: _stream_within(), calls["socketpair"]: _stream_within()}
    for number, steps in judged.items():
        yield _step(_IF_EQUAL, otherwise=len(steps), operand=number)
        yield from steps
    yield _step(_RETURN, operand=_ALLOW)


def _argument(index: int) -> bytes:
    """Load the lower half of an argument: the kernel reads only that of an int."""
    return _step(_LOAD, operand=_FIRST_ARGUMENT_AT + index * _ARGUMENT_BYTES)


def _verdict(allowed: bool) -> bytes:
    return _step(_RETURN, operand=_ALLOW if allowed else _REFUSE)


def _only_of_itself() -> Sequence[bytes]:
    return [_argument(0), _step(_IF_EQUAL, otherwise=1, operand=0), _verdict(True), _verdict(False)]


def _no_namespaces() -> Sequence[bytes]:
    return [
        _argument(0),
        _step(_IF_ANY_BIT, then=1, operand=_NEW_NAMESPACES),
        _verdict(True),
        _verdict(False),
    ]


def _no_typing() -> Sequence[bytes]:
    return [
        _argument(1),
        _step(_IF_EQUAL, then=2, operand=_TIOCSTI),
        _step(_IF_EQUAL, then=1, operand=_TIOCLINUX),
        _verdict(True),
        _verdict(False),
    ]


def _stream_within() -> Sequence[bytes]:
    """Allow only streams. A datagram could be sent to any name, and a pair of them connected to another end."""
    return [
        _argument(0),
        _step(_IF_EQUAL, otherwise=5, operand=_AF_UNIX),
        _argument(1),
        _step(_AND, operand=_SOCKET_TYPE),
        _step(_IF_EQUAL, then=1, operand=_STREAM),
        _step(_IF_EQUAL, otherwise=1, operand=_SEQPACKET),
        _verdict(True),
        _verdict(False),
    ]


def _step(code: int, *, then: int = 0, otherwise: int = 0, operand: int = 0) -> bytes:
    return struct.pack("<HBBI", code, then, otherwise, operand)
