"""What a model's code would try, from inside a host: each attempt by its name, and what came of it.

Runs as a host: it is told what there is to be had, and answers a mapping of attempts to "refused: …" or to what it got.
"""

from __future__ import annotations

import ctypes
import mmap
import os
import signal
import socket
import struct
import subprocess
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

LIBC = ctypes.CDLL(None, use_errno=True)
LIBC.syscall.restype = ctypes.c_long
ARM = os.uname().machine == "aarch64"
CALLS = {
    "ptrace": (101, 117),
    "process_vm_readv": (310, 270),
    "pidfd_open": (434, 434),
    "pidfd_getfd": (438, 438),
    "kcmp": (312, 272),
    "perf_event_open": (298, 241),
    "bpf": (321, 280),
    "userfaultfd": (323, 282),
    "keyctl": (250, 219),
    "unshare": (272, 97),
    "setns": (308, 268),
    "io_uring_setup": (425, 425),
    "clone": (56, 220),
    "clone3": (435, 435),
    "shmget": (29, 194),
    "msgget": (68, 186),
    "mount": (165, 40),
    "open_by_handle_at": (304, 265),
    "reboot": (169, 142),
}


def call(name: str, *arguments: object) -> int:
    """A system call past every library. Raises `OSError`."""
    number = CALLS[name][ARM]
    result = int(LIBC.syscall(ctypes.c_long(number), *arguments))
    if result < 0:
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))
    return result


def attempts(told: Mapping[str, Any]) -> dict[str, Callable[[], object]]:
    return {**_network(told), **_files(told), **_processes(told), **_kernel(told)}


def _network(told: Mapping[str, Any]) -> dict[str, Callable[[], object]]:
    def unix(kind: int, address: str | bytes) -> None:
        socket.socket(socket.AF_UNIX, kind).connect(address)

    def turned_datagram() -> None:
        mine, _ = socket.socketpair(socket.AF_UNIX, socket.SOCK_DGRAM)
        mine.sendto(b"x", told["unix"])

    return {
        "TCP to the machine": lambda: socket.create_connection(("127.0.0.1", told["port"]), 2),
        "TCP to Redis": lambda: socket.create_connection(("127.0.0.1", 6379), 2),
        "a UDP socket": lambda: socket.socket(socket.AF_INET, socket.SOCK_DGRAM),
        "an IPv6 socket": lambda: socket.socket(socket.AF_INET6, socket.SOCK_STREAM),
        "a raw socket": lambda: socket.socket(socket.AF_INET, socket.SOCK_RAW),
        "a netlink socket": lambda: socket.socket(socket.AF_NETLINK, socket.SOCK_RAW),
        "a vsock": lambda: socket.socket(socket.AF_VSOCK, socket.SOCK_STREAM),
        "a socket file": lambda: unix(socket.SOCK_STREAM, told["unix"]),
        "a socket file by packets": lambda: unix(socket.SOCK_SEQPACKET, told["unix"]),
        "an abstract socket": lambda: unix(socket.SOCK_STREAM, "\0" + told["abstract"]),
        "a datagram socket": lambda: unix(socket.SOCK_DGRAM, told["unix"]),
        "a datagram pair turned elsewhere": turned_datagram,
    }


def _files(told: Mapping[str, Any]) -> dict[str, Callable[[], object]]:
    secret, folder = told["secret"], told["folder"]
    return {
        "read the database": lambda: Path(secret).read_bytes(),
        "write to the database": lambda: os.open(secret, os.O_WRONLY),
        "cut the database": lambda: os.truncate(secret, 0),
        # Landlock before Linux 6.2 does not know truncate, so seccomp refuses it for every path
        "cut a file of its own by its path": lambda: os.truncate(_own_file(), 0),
        "remove the database": lambda: os.unlink(secret),
        "rename the database": lambda: os.rename(secret, secret + ".gone"),
        "link the database to a folder of its own": lambda: os.link(secret, Path.home() / "mine"),
        "read it through a link of its own": lambda: _linked(Path(secret)).read_bytes(),
        "list the data folder": lambda: os.listdir(folder),
        "write beside it": lambda: Path(folder, "new").write_text("x"),
        "write to the temporary folder": lambda: Path(told["tmp"], "ringtrue-intruder").write_text("x"),
        "list the other hosts' rooms": lambda: os.listdir(told["tmp"]),
        "write to its inbox": lambda: Path("new").write_text("x"),
        "write to our code": lambda: Path(told["code"], "planted.py").write_text("x"),
        "write to a package": lambda: Path(os.__file__).with_name("planted.py").write_text("x"),
        "read passwords": lambda: Path("/etc/shadow").read_bytes(),
        "make a device": lambda: os.mknod(Path.home() / "memory", 0o600 | 0o020000, os.makedev(1, 1)),
        "let the kernel run a program": lambda: Path("/proc/sys/kernel/core_pattern").write_text("|/x"),
    }


def _own_file() -> Path:
    own = Path.home() / "own"
    own.write_text("x")
    return own


def _linked(target: Path) -> Path:
    link = Path.home() / "link"
    link.unlink(missing_ok=True)
    link.symlink_to(target)
    return link


def _processes(told: Mapping[str, Any]) -> dict[str, Callable[[], object]]:
    tried: dict[str, Callable[[], object]] = {}
    for who, pid in (("service", told["pid"]), ("launcher", os.getppid())):
        tried |= {f"{name} of the {who}": attempt for name, attempt in _of_process(pid).items()}
    return tried


def _of_process(pid: int) -> dict[str, Callable[[], object]]:
    limit = struct.pack("<QQ", 8, 8)

    def memory_of() -> int:
        page = ctypes.create_string_buffer(mmap.PAGESIZE)
        vector = struct.pack("<QQ", ctypes.addressof(page), 8)
        there = struct.pack("<QQ", 0x400000, 8)
        return call("process_vm_readv", pid, vector, ctypes.c_ulong(1), there, ctypes.c_ulong(1), ctypes.c_ulong(0))

    return {
        "the environment": lambda: Path(f"/proc/{pid}/environ").read_bytes(),
        "the memory, as a file": lambda: os.open(f"/proc/{pid}/mem", os.O_RDWR),
        "the map of the memory": lambda: Path(f"/proc/{pid}/maps").read_bytes(),
        "an open file": lambda: os.open(f"/proc/{pid}/fd/0", os.O_RDWR),
        "the name of an open file": lambda: os.readlink(f"/proc/{pid}/fd/0"),
        "the root folder": lambda: os.listdir(f"/proc/{pid}/root/"),
        "the folder": lambda: os.listdir(f"/proc/{pid}/cwd/"),
        "the memory": memory_of,
        "a descriptor": lambda: call("pidfd_getfd", call("pidfd_open", pid, 0), 0, 0),
        "the end, by ptrace": lambda: call("ptrace", 16, pid, None, None),
        "a comparison": lambda: call("kcmp", os.getpid(), pid, 1, ctypes.c_ulong(0), ctypes.c_ulong(0)),
        "a limit": lambda: LIBC.prlimit(pid, 7, limit, None) and _raise(),
        "a signal": lambda: os.kill(pid, signal.SIGCONT),
        "a signal by descriptor": lambda: signal.pidfd_send_signal(call("pidfd_open", pid, 0), signal.SIGCONT),
    }


def _raise() -> None:
    raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))


def _kernel(told: Mapping[str, Any]) -> dict[str, Callable[[], object]]:
    del told
    new_user, new_network, child = 0x10000000, 0x40000000, signal.SIGCHLD
    return {
        "a namespace": lambda: call("unshare", new_user),
        "a child in a namespace": lambda: call("clone", ctypes.c_ulong(new_user | new_network | child), 0, 0, 0, 0),
        "a child in a namespace, the new way": lambda: call("clone3", struct.pack("<QQQQQQQQ", new_user, *[0] * 7), 64),
        "another's namespace": lambda: call("setns", 0, 0),
        "a ring": lambda: call("io_uring_setup", 4, ctypes.create_string_buffer(120)),
        "a program in the kernel": lambda: call("bpf", 0, ctypes.create_string_buffer(128), 128),
        "what the processor counts": lambda: call("perf_event_open", ctypes.create_string_buffer(128), 0, -1, -1, 0),
        "its own page faults": lambda: call("userfaultfd", 1),
        "the keys": lambda: call("keyctl", 0, -3, 0),
        "memory of System V": lambda: call("shmget", 4711, 4096, 0o1600),
        "messages of System V": lambda: call("msgget", 4711, 0o1600),
        "a mount": lambda: call("mount", b"none", str(Path.home()).encode(), b"tmpfs", ctypes.c_ulong(0), None),
        "a file by its handle": lambda: call("open_by_handle_at", -100, ctypes.create_string_buffer(64), 0),
        "another user's rights": lambda: subprocess.run(["/bin/su", "-c", "true"], check=True, capture_output=True),
        "rights of root": lambda: os.setuid(0) if os.getuid() else _raise_unless_bounded(),
    }


def _raise_unless_bounded() -> None:
    """Root here is a name: of its capabilities those are left that open files."""
    status = Path("/proc/self/status").read_text()
    if int(status.partition("CapEff:")[2].split()[0], 16) & ~0b110 == 0:
        raise PermissionError("no capability but those that open files")


def outcome(attempt: Callable[[], object]) -> str:
    try:
        got = attempt()
    except (OSError, subprocess.CalledProcessError) as error:
        return f"refused: {error}"
    return f"got {got!r:.60}"


def main() -> None:
    from shared.processes.serving import Served

    served = Served()
    for frame in served.requests():
        told = frame.header
        results = {name: outcome(attempt) for name, attempt in attempts(told).items()}
        os.chmod(told["secret"], 0o777)
        descriptors = sorted(os.readlink(f"/proc/self/fd/{one}") for one in os.listdir("/proc/self/fd")[:-1])
        served.answer({"results": results, "environ": dict(os.environ), "descriptors": descriptors})


if __name__ == "__main__":
    main()
