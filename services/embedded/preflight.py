"""Checks for what can fail before anything is started. Each failure is one line for people.

Owns the checks of folder, disk and ports. Starts nothing and leaves nothing behind except the data folder itself.
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

_BACKLOG = 2048
"""Connections that wait until the part accepts them, also while it is restarted."""

FreeBytes = Callable[[Path], int]


def free_bytes(folder: Path) -> int:
    """Return the bytes that this user may still write on the folder's file system."""
    return shutil.disk_usage(folder).free


@contextlib.contextmanager
def writing(folder: Path) -> Iterator[None]:
    """Turn errors of writing to the data folder into `FolderUnwritable` or `DiskFull`."""
    try:
        yield
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            raise DiskFull(f"no space left for the data folder {folder}") from error
        where = f" ({error.filename})" if error.filename else ""
        raise FolderUnwritable(f"cannot write to the data folder {folder}: {error.strerror}{where}") from error


def prepare_folder(folder: Path) -> None:
    """Create the folder, for this user only, and write to it once. Raises `FolderUnwritable` or `DiskFull`."""
    with writing(folder):
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder) as probe:
            probe.write(b"ringtrue")


def check_space(folder: Path, free: FreeBytes = free_bytes) -> None:
    """Raise `DiskFull` if less than ``MIN_FREE_BYTES`` are free."""
    left = free(folder)
    if left < MIN_FREE_BYTES:
        raise DiskFull(
            f"only {left >> 20} MiB free for the data folder {folder}; {MIN_FREE_BYTES >> 20} MiB are required; "
            "make room or choose another with --data"
        )


def listen_on(host: str, port: int, advice: str = "choose another with --port") -> socket.socket:
    """Return a socket that listens there. Port 0 gives a free one.

    Raises `PortUnusable`, which says why not, who has the port, and ``advice``. The socket is bound here and passed to
    the part that answers on it, so that nobody else can answer at an announced address while that part is restarted.
    """
    try:
        family, kind, _, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        listening = socket.socket(family, kind)
        try:
            listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            listening.bind(address)
            listening.listen(_BACKLOG)
        except BaseException:
            listening.close()
            raise
        return listening
    except OSError as error:
        if error.errno == errno.EADDRINUSE:
            raise PortUnusable(f"port {port} on {host} is in use{_owner(port)}; {advice}") from error
        if error.errno == errno.EACCES:
            raise PortUnusable(f"not allowed to listen on port {port} (nor on any below 1024); {advice}") from error
        raise PortUnusable(f"cannot listen on {host}: {error.strerror}") from error


def listen_near(preferred: int) -> socket.socket:
    """Return a socket that listens on loopback, on the first free port of the 50 from ``preferred`` up, or on any."""
    for port in range(preferred, preferred + 50):
        with contextlib.suppress(PortUnusable):
            return listen_on("127.0.0.1", port)
    return listen_on("127.0.0.1", 0)


def free_port() -> int:
    """Return a port of loopback that is free now."""
    with listen_on("127.0.0.1", 0) as listening:
        return int(listening.getsockname()[1])


def _owner(port: int) -> str:
    """Return `` by NAME (pid N)``, or an empty string if the system does not tell."""
    with contextlib.suppress(psutil.Error, OSError):
        for connection in psutil.net_connections("tcp"):
            listening = connection.status == psutil.CONN_LISTEN
            if listening and connection.pid and connection.laddr.port == port:
                return f" by {psutil.Process(connection.pid).name()} (pid {connection.pid})"
    return ""
