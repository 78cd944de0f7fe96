"""Who has reserved how much of a device's memory, among all workers of one machine.

Owns two promises: reservations never exceed what the device has, and a reservation lasts exactly as long as a process
holds it. A reservation is a locked file (flock(2)), passed to the engine host it is for. The kernel releases the lock
when the last process that has the file open is gone, however it ended. A file gets its final name only after it is
locked and its amount is written. Knows neither hosts nor pins.

    FOLDER/<boot id>/<device>/<reservation>      "1234.5", locked: so many MB are reserved
    FOLDER/<boot id>/<device>/wanted-<…>         locked: a worker waits for so many MB
    FOLDER/<boot id>/<device>/.new-<…>           a draft of one of the two

One folder serves every container and every user of a machine. It starts empty after a restart, and on another machine
that sees the same folder.
"""

from __future__ import annotations

import contextlib
import errno
import fcntl
import logging
import math
import os
import socket
import time
import uuid
from collections.abc import Iterator
from pathlib import Path

from services.worker.memory.devices import Device
from shared.files.folder_lock import folder_lock

_BOOT_ID = Path("/proc/sys/kernel/random/boot_id")
_WANTED, _NEW = "wanted-", ".new-"
_SIZE = 32
"""Bytes of a file. The amount is written in place, so that the open file and its lock stay valid."""
UNKNOWN_SHARE = 0.25
"""A reservation that is held but cannot be read counts for this share of the device. That is more than most
reservations, but not so much that every other worker has to wait for it."""

log = logging.getLogger(__name__)


class Reservation:
    """A share of a device. It is kept as long as ``fd`` is open, here or in a child process."""

    def __init__(self, ledger: Ledger, path: Path, fd: int, mb: float) -> None:
        self._ledger = ledger
        self.path = path
        self.fd = fd
        self.mb = mb

    def resize(self, mb: float) -> bool:
        """Change it to ``mb`` MB. Returns False, and changes nothing, if there is no room."""
        return self._ledger.resize(self, mb)

    def release(self) -> None:
        """Close it here. A child process that has it open still keeps it. May be called again."""
        if self.fd >= 0:
            os.close(self.fd)
            self.fd = -1


class Ledger:
    """The reservations of one device. For any thread of any process."""

    def __init__(self, folder: Path, device: Device, share: float = 1.0) -> None:
        """``share``: the share of the device's memory that may be reserved. The rest is for processes that do not use
        the ledger."""
        boot = _BOOT_ID.read_text().strip() if _BOOT_ID.exists() else "here"
        self.folder = folder / boot / device.name
        self.capacity_mb = device.total_mb * share
        self.folder.mkdir(parents=True, exist_ok=True)

    def reserve(self, mb: float) -> Reservation | None:
        """Reserve ``mb`` MB. Returns `None` if there is no room."""
        with self._held():
            if self._taken() + mb > self.capacity_mb:
                return None
            path = self.folder / uuid.uuid4().hex
            return Reservation(self, path, _locked(path, mb), mb)

    def resize(self, reservation: Reservation, mb: float) -> bool:
        """See `Reservation.resize`."""
        with self._held():
            if mb > reservation.mb and self._taken() - reservation.mb + mb > self.capacity_mb:
                return False
            try:
                _write(reservation.fd, mb)
            except OSError as error:
                log.warning("a reservation of %.0f MB could not be changed: %s", reservation.mb, error)
                return False
            reservation.mb = mb
            return True

    def taken_mb(self) -> float:
        """Return the MB of all reservations together."""
        with self._held():
            return self._taken()

    @contextlib.contextmanager
    def _held(self) -> Iterator[None]:
        """Keep other processes from counting and writing for the length of the block. The folder may have been removed
        meanwhile; its open files stay locked."""
        self.folder.mkdir(parents=True, exist_ok=True)
        with folder_lock(self.folder):
            yield

    @contextlib.contextmanager
    def wanting(self, mb: float) -> Iterator[None]:
        """Tell the other workers, for the length of the block, that this one waits for ``mb`` MB."""
        path = self.folder / f"{_mine()}{uuid.uuid4().hex}"
        try:
            with self._held():
                fd = _locked(path, mb)
        except OSError as error:  # it waits anyway, and another host will end
            log.warning("could not tell other workers that this one waits for %.0f MB: %s", mb, error)
            yield
            return
        try:
            yield
        finally:
            path.unlink(missing_ok=True)
            os.close(fd)

    def wanted_by_others(self, waiting_s: float) -> bool:
        """Return whether another process has waited for at least ``waiting_s`` seconds for more than is free."""
        mine = _mine()
        if all(path.name.startswith(mine) for path in self._waiting_files()):
            return False  # the usual case, answered without the folder lock
        with self._held():
            free = self.capacity_mb - self._taken()
            others = [path for path in self._waiting_files() if not path.name.startswith(mine)]
            return any(_held_mb(path, 0.0) > free and _age_s(path) >= waiting_s for path in others)

    def _waiting_files(self) -> list[Path]:
        return list(self.folder.glob(f"{_WANTED}*"))

    def _taken(self) -> float:
        unknown_mb = UNKNOWN_SHARE * self.capacity_mb
        return sum(_held_mb(path, unknown_mb) for path in self.folder.iterdir() if not path.name.startswith(_WANTED))


def _mine() -> str:
    """Return the prefix of this process's ``wanted-`` files. It has the host name, since in containers every worker may
    be process 1."""
    return f"{_WANTED}{socket.gethostname()}-{os.getpid()}-"


def _locked(path: Path, mb: float) -> int:
    """Create the file at ``path``, locked and with its amount. Only within `_held`. Raises `OSError`, and then leaves
    no file."""
    draft = path.with_name(f"{_NEW}{path.name}")
    fd = os.open(draft, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o666)
    # Lock and fill the draft first: a file under its final name is always locked and says an amount.
    try:
        fcntl.flock(fd, fcntl.LOCK_EX)
        _write(fd, mb)
        draft.rename(path)
    except BaseException:
        with contextlib.suppress(OSError):
            draft.unlink(missing_ok=True)
        os.close(fd)
        raise
    return fd


def _write(fd: int, mb: float) -> None:
    content = repr(float(mb)).encode().ljust(_SIZE)
    if os.pwrite(fd, content, 0) != _SIZE:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


def _held_mb(path: Path, unknown_mb: float) -> float:
    """Return the amount in the file while a process holds it, or ``unknown_mb`` if it cannot be read. A file that no
    process holds is removed and counts 0. Only within `_held`."""
    try:
        fd = os.open(path, os.O_RDONLY)
    except FileNotFoundError:
        return 0.0
    except OSError as error:
        log.warning("%s cannot be read and counts as %.0f MB: %s", path, unknown_mb, error)
        return unknown_mb
    try:
        fcntl.flock(fd, fcntl.LOCK_SH | fcntl.LOCK_NB)
        with contextlib.suppress(OSError):
            path.unlink(missing_ok=True)
        return 0.0
    except BlockingIOError:
        return _said_mb(fd, path, unknown_mb)
    finally:
        os.close(fd)


def _said_mb(fd: int, path: Path, unknown_mb: float) -> float:
    try:
        mb = float(os.pread(fd, _SIZE, 0))
        if 0 <= mb < math.inf:
            return mb
    except (OSError, ValueError):
        pass
    log.warning("%s is held but contains no amount; it counts as %.0f MB", path, unknown_mb)
    return unknown_mb


def _age_s(path: Path) -> float:
    try:
        return time.time() - path.stat().st_mtime
    except FileNotFoundError:
        return 0.0
