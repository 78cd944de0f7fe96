"""Who has reserved how much of a device's memory, among all workers of one machine.

Owns the promise that reservations never exceed what the device has, and that one lives exactly as long as somebody
holds it: a reservation is a locked file (flock(2)), given to the engine host it is for. The kernel lets go of the lock
when the last process that has the file open is gone, however it went. Knows neither hosts nor pins.

    FOLDER/<boot id>/<device>/<reservation>      "1234.5", locked: so many MB are taken
    FOLDER/<boot id>/<device>/wanted-<…>         locked: somebody waits for so many MB

One folder serves every container and every user of a machine; after a restart, or on another machine that sees the same
folder, it starts empty.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import socket
import time
import uuid
from collections.abc import Iterator
from pathlib import Path

from services.worker.memory.devices import Device
from shared.folder_held import folder_held

_BOOT_ID = Path("/proc/sys/kernel/random/boot_id")
_WANTED = "wanted-"


class Reservation:
    """A share of a device. Holding ``fd`` open, here or in a child, keeps it."""

    def __init__(self, ledger: Ledger, path: Path, fd: int, mb: float) -> None:
        self._ledger = ledger
        self.path = path
        self.fd = fd
        self.mb = mb

    def resize(self, mb: float) -> bool:
        """Make it ``mb`` large. False, and nothing changes, where others have reserved what it would need."""
        return self._ledger.resize(self, mb)

    def release(self) -> None:
        """Let go of it here. Others that hold it still do. May be called again."""
        if self.fd >= 0:
            os.close(self.fd)
            self.fd = -1


class Ledger:
    """The reservations of one device. For any thread of any process."""

    def __init__(self, folder: Path, device: Device, share: float = 1.0) -> None:
        """``share``: of the device's memory may be reserved so much; the rest is for whoever does not ask."""
        boot = _BOOT_ID.read_text().strip() if _BOOT_ID.exists() else "here"
        self.folder = folder / boot / device.name
        self.capacity_mb = device.total_mb * share
        self.folder.mkdir(parents=True, exist_ok=True)

    def reserve(self, mb: float) -> Reservation | None:
        """A new reservation; `None` where there is no room for it."""
        with folder_held(self.folder):
            if self._taken() + mb > self.capacity_mb:
                return None
            path = self.folder / uuid.uuid4().hex
            return Reservation(self, path, _locked(path, mb), mb)

    def resize(self, reservation: Reservation, mb: float) -> bool:
        """See `Reservation.resize`."""
        with folder_held(self.folder):
            if mb > reservation.mb and self._taken() - reservation.mb + mb > self.capacity_mb:
                return False
            _write(reservation.fd, mb)
            reservation.mb = mb
            return True

    def taken_mb(self) -> float:
        """All reservations together."""
        with folder_held(self.folder):
            return self._taken()

    @contextlib.contextmanager
    def wanting(self, mb: float) -> Iterator[None]:
        """Let the others know, for the length of the block, that somebody waits for ``mb``."""
        path = self.folder / f"{_mine()}{uuid.uuid4().hex}"
        with folder_held(self.folder):
            fd = _locked(path, mb)
        try:
            yield
        finally:
            path.unlink(missing_ok=True)
            os.close(fd)

    def wanted_by_others(self, waiting_s: float) -> bool:
        """Another process has waited for that long, for more than is free."""
        mine = _mine()
        if all(path.name.startswith(mine) for path in self._wishes()):
            return False  # the usual case, and nobody has to be kept from counting for it
        with folder_held(self.folder):
            free = self.capacity_mb - self._taken()
            others = [path for path in self._wishes() if not path.name.startswith(mine)]
            return any(_held_mb(path) > free and _age_s(path) >= waiting_s for path in others)

    def _wishes(self) -> list[Path]:
        return list(self.folder.glob(f"{_WANTED}*"))

    def _taken(self) -> float:
        return sum(_held_mb(path) for path in self.folder.iterdir() if not path.name.startswith(_WANTED))


def _mine() -> str:
    """How the wishes of this process begin: in containers every worker is the process 1."""
    return f"{_WANTED}{socket.gethostname()}-{os.getpid()}-"


def _locked(path: Path, mb: float) -> int:
    fd = os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o666)
    fcntl.flock(fd, fcntl.LOCK_EX)
    _write(fd, mb)
    return fd


def _write(fd: int, mb: float) -> None:
    content = repr(float(mb)).encode().ljust(32)
    os.pwrite(fd, content, 0)


def _held_mb(path: Path) -> float:
    """What the file says while somebody holds it; one that nobody holds any more is removed. Only while counting."""
    try:
        fd = os.open(path, os.O_RDONLY)
    except FileNotFoundError:
        return 0.0
    try:
        fcntl.flock(fd, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return float(os.pread(fd, 32, 0))
    else:
        path.unlink(missing_ok=True)
        return 0.0
    finally:
        os.close(fd)


def _age_s(path: Path) -> float:
    try:
        return time.time() - path.stat().st_mtime
    except FileNotFoundError:
        return 0.0
