"""What can be known to go wrong before anything is started, said in one line each.

Owns the checks of folder, disk and ports. Starts nothing and leaves nothing behind but the data folder itself.
"""

from __future__ import annotations

import contextlib
import errno
import shutil
import socket
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil  # type: ignore[import-untyped]

from services.embedded.errors import DiskFull, FolderUnwritable, PortUnusable

MIN_FREE_BYTES = 256 << 20
"""Room for the first databases, append-only files and a few hundred clips."""

FreeBytes = Callable[[Path], int]


def free_bytes(folder: Path) -> int:
    """Bytes that this user may still write on the folder's file system."""
    return shutil.disk_usage(folder).free


@contextlib.contextmanager
def writing(folder: Path) -> Iterator[None]:
    """What goes wrong while the data folder is written to, as `FolderUnwritable` or `DiskFull`."""
    try:
        yield
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            raise DiskFull(f"no space left for the data folder {folder}") from error
        where = f" ({error.filename})" if error.filename else ""
        raise FolderUnwritable(f"cannot write the data folder {folder}: {error.strerror}{where}") from error


def prepare_folder(folder: Path) -> None:
    """Make the folder, for this user only, and write to it once. `FolderUnwritable`, `DiskFull`."""
    with writing(folder):
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder) as probe:
            probe.write(b"ringtrue")


def check_space(folder: Path, free: FreeBytes = free_bytes) -> None:
    """`DiskFull` where there is less than ``MIN_FREE_BYTES``."""
    left = free(folder)
    if left < MIN_FREE_BYTES:
        raise DiskFull(
            f"only {left >> 20} MiB free for the data folder {folder}, {MIN_FREE_BYTES >> 20} MiB are needed; "
            "make room or choose another with --data"
        )


def check_port(host: str, port: int) -> int:
    """The port, if it can be listened on; 0 gives a free one. `PortUnusable` says why not, and who has it."""
    try:
        family, kind, _, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        with socket.socket(family, kind) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind(address)
            return int(probe.getsockname()[1])
    except OSError as error:
        if error.errno == errno.EADDRINUSE:
            raise PortUnusable(f"port {port} on {host} is taken{_owner(port)}; choose another with --port") from error
        if error.errno == errno.EACCES:
            raise PortUnusable(f"not allowed to listen on port {port}; choose one from 1024 up with --port") from error
        raise PortUnusable(f"cannot listen on {host}: {error.strerror}") from error


def free_port(preferred: int = 0) -> int:
    """A free port on loopback: the first from ``preferred`` up within 50, or any where 0."""
    for port in range(preferred, preferred + 50):
        with contextlib.suppress(PortUnusable):
            return check_port("127.0.0.1", port)
    return check_port("127.0.0.1", 0)


def _owner(port: int) -> str:
    """`` by NAME (pid N)``, or nothing where the system does not tell."""
    with contextlib.suppress(psutil.Error, OSError):
        for connection in psutil.net_connections("tcp"):
            listening = connection.status == psutil.CONN_LISTEN
            if listening and connection.pid and connection.laddr.port == port:
                return f" by {psutil.Process(connection.pid).name()} (pid {connection.pid})"
    return ""
