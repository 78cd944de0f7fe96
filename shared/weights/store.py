"""The store of weights: every file once, under its SHA-256, and per pin a folder of links to its files (the snapshot).

Owns the layout of ``RINGTRUE_MODELS`` and how a file gets in: only with the right hash. verification.py checks whether
the files are still right. Several processes may use one store; no file is changed once it is in.

    blobs/sha256/4f/4f1c…      the files, read-only
    checked/4f1c….json         file status at the time when a file was last hashed whole
    snapshots/PIN-<16 hex>/    links, laid out as the lock says
    in-use/<lock sha256>       held (flock) by workers that serve the pin
    partial/4f1c…              unfinished downloads; held (flock) by the process that downloads
    packages/pypi NAME==1.0/   archives of packages while files of them are wanted; locked by the process that downloads
    quarantine/                files with wrong bytes, with a note on what was expected and where they came from
"""

from __future__ import annotations

import contextlib
import json
import logging
import os
import re
import stat
import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from shared.files.flock import flock
from shared.files.whole_file import write_whole
from shared.weights import layout
from shared.weights.errors import InUse, LockMismatch
from shared.weights.hashing import OnBytes, never_mind, sha256_of
from shared.weights.lock import EMPTY_SHA256, SHA256, LockedFile, PinLock

_TICK_S = 0.01

log = logging.getLogger(__name__)


class WrongBytes(LockMismatch):
    """A file that was brought is not the locked one. It is in quarantine."""

    def __init__(self, file: LockedFile, found: str, source_name: str, quarantined: Path) -> None:
        what = "is empty" if found == EMPTY_SHA256 else f"has sha256 {found}"
        super().__init__(
            f"{file.path} from {source_name} {what}, but the lock says {file.sha256}; it was moved to {quarantined}"
        )
        self.file = file
        self.found = found


@dataclass(frozen=True, slots=True)
class WeightStore:
    """The folder ``root``. It is created when something is first put in."""

    root: Path

    def blob(self, sha256: str) -> Path:
        """Return the path of the file with this hash, if it is there."""
        return self.root / "blobs" / "sha256" / sha256[:2] / sha256

    def partial(self, sha256: str) -> Path:
        """Return the path of its unfinished download."""
        return self.root / "partial" / sha256

    @property
    def archives(self) -> Path:
        """The folder for the archives of packages."""
        return self.root / "packages"

    def snapshot(self, lock: PinLock) -> Path:
        """Return the folder that an engine gets."""
        return self.root / "snapshots" / f"{lock.name}-{lock.sha256[:16]}"

    def has(self, file: LockedFile) -> bool:
        """Return whether a regular file of its size is there. verification.py checks whether it is the right one."""
        try:
            status = self.blob(file.sha256).lstat()
        except OSError:
            return False
        return stat.S_ISREG(status.st_mode) and status.st_size == file.size

    def adopt(self, brought: Path, file: LockedFile, *, source_name: str, on_bytes: OnBytes = never_mind) -> None:
        """Move ``brought`` (on the store's file system) into the store if it is ``file``.

        Raises `WrongBytes` if it is not; then it is in quarantine and nothing else has changed. Without fsync: a file
        that is cut short by a power failure has another size, and is found by that.
        """
        found = sha256_of(brought, on_bytes)
        if found != file.sha256:
            raise WrongBytes(file, found, source_name, self._quarantined(brought, file, found, source_name))
        blob = self.blob(file.sha256)
        blob.parent.mkdir(parents=True, exist_ok=True)
        brought.chmod(0o444)
        brought.replace(blob)
        self.record(file.sha256, settled(blob))

    def link(self, lock: PinLock) -> Path:
        """Create the snapshot of ``lock``, unless it is already right, and return its folder.

        Every file of it must be there.
        """
        folder = self.snapshot(lock)
        layout.make(folder, self.targets(lock))
        return folder

    def unlink(self, lock: PinLock) -> None:
        """Remove the snapshot of ``lock``. Its files stay."""
        layout.remove(self.snapshot(lock))

    def targets(self, lock: PinLock) -> dict[str, str]:
        """Return path in the snapshot -> target of its link, relative to the link."""
        folder = self.snapshot(lock)
        return {file.path: os.path.relpath(self.blob(file.sha256), (folder / file.path).parent) for file in lock.files}

    def record(self, sha256: str, status: os.stat_result | None) -> None:
        """Record the file status that `settled` returned right before the file was hashed whole and found right.

        If the note cannot be written, the file is only hashed once more.
        """
        if status is None:
            return
        note = self._note(sha256)
        try:
            note.parent.mkdir(parents=True, exist_ok=True)
            write_whole(note, json.dumps({"seen": seen(status), "at": time.time()}))
        except OSError as error:
            log.warning("the check of %s was not recorded, so the file is hashed again next time: %s", sha256, error)

    def recorded(self, sha256: str) -> tuple[list[int], float] | None:
        """Return the recorded status and its time (epoch seconds); ``None`` if there is no readable note."""
        try:
            note = json.loads(self._note(sha256).read_bytes())
            return list(note["seen"]), float(note["at"])
        except (OSError, ValueError, KeyError, TypeError):
            return None

    @contextlib.contextmanager
    def using(self, lock: PinLock, *, alone: bool = False) -> Iterator[None]:
        """Hold the pin inside the block, as a worker that serves it.

        ``alone``: hold it to remove it; raises `InUse` if a worker holds it. The kernel releases the hold when the
        process ends, however it ends.
        """
        with self._held(lock.name, lock.sha256, alone=alone):
            yield

    def remove(self, lock: PinLock, others: Iterable[PinLock]) -> int:
        """Remove the snapshots of ``lock`` and of earlier locks of the pin, and their files. Return the freed bytes.

        Files of ``others`` and of every remaining snapshot stay. Raises `InUse` if a running worker serves it; then
        nothing has changed.
        """
        with self.using(lock, alone=True), contextlib.ExitStack() as held:
            folders = [self.snapshot(lock), *self._former(lock, held)]
            files = {file.sha256 for file in lock.files} | self._linked(folders)
            for folder in folders:
                layout.remove(folder)
            return self.drop(files, others)

    def drop(self, files: Iterable[str], others: Iterable[PinLock]) -> int:
        """Remove files by hash, except those of ``others`` and of every snapshot. Return the freed bytes."""
        kept = {file.sha256 for other in others for file in other.files} | self._linked(self._snapshots())
        return sum(self._forgotten(sha256) for sha256 in set(files) - kept)

    @contextlib.contextmanager
    def _held(self, name: str, lock_sha256: str, *, alone: bool) -> Iterator[None]:
        holder = self.root / "in-use" / lock_sha256
        holder.parent.mkdir(parents=True, exist_ok=True)
        with holder.open("a") as opened:
            try:
                flock(opened, shared=not alone, at_once=alone)
            except BlockingIOError as error:
                raise InUse(f"{name} is in use: a running worker serves it, or it is being pulled") from error
            yield

    def _former(self, lock: PinLock, held: contextlib.ExitStack) -> Iterator[Path]:
        """Yield snapshots of earlier locks of the pin that nobody uses. They are held until ``held`` ends."""
        form = re.compile(re.escape(lock.name) + "-([0-9a-f]{16})")
        for folder in self._snapshots():
            found = form.fullmatch(folder.name)
            if found is None or folder == self.snapshot(lock):
                continue
            with contextlib.suppress(InUse):
                for holder in (self.root / "in-use").glob(f"{found[1]}*"):
                    held.enter_context(self._held(lock.name, holder.name, alone=True))
                yield folder

    def _snapshots(self) -> list[Path]:
        """Return all snapshots, including those that are being created."""
        try:
            return sorted((self.root / "snapshots").iterdir())
        except FileNotFoundError:
            return []

    def _linked(self, folders: Iterable[Path]) -> set[str]:
        named = {Path(target).name for folder in folders for target in layout.links_in(folder)}
        return {name for name in named if SHA256.fullmatch(name)}

    def _forgotten(self, sha256: str) -> int:
        """Remove a file and return its size in bytes."""
        blob, size = self.blob(sha256), 0
        with contextlib.suppress(FileNotFoundError):
            size = blob.lstat().st_size
            blob.unlink()
        self._note(sha256).unlink(missing_ok=True)
        return size

    def _note(self, sha256: str) -> Path:
        return self.root / "checked" / f"{sha256}.json"

    def _quarantined(self, brought: Path, file: LockedFile, found: str, source_name: str) -> Path:
        folder = self.root / "quarantine"
        folder.mkdir(parents=True, exist_ok=True)
        path = folder / f"{file.sha256[:16]}-{time.time_ns()}-{Path(file.path).name}"
        brought.replace(path)
        note = {
            "path": file.path,
            "from": source_name,
            "locked_sha256": file.sha256,
            "found_sha256": found,
            "at": time.time(),
        }
        write_whole(path.with_name(f"{path.name}.json"), json.dumps(note, indent=2))
        return path


def seen(status: os.stat_result) -> list[int]:
    """Return the status by which a changed file is told from an unchanged one.

    A writer cannot set back the time of the last change (ctime), unlike the time of modification.
    """
    return [status.st_size, status.st_mtime_ns, status.st_ctime_ns, status.st_ino]


def settled(path: Path) -> os.stat_result | None:
    """Return the status of a file once every further change must show in it, else ``None``.

    Times advance in ticks, and a file can change twice within one, so this waits for a tick. ``None``: the time of the
    last change is in the future.
    """
    wait_s = path.lstat().st_ctime_ns / 1e9 + _TICK_S - time.time()
    if wait_s > _TICK_S:
        return None
    time.sleep(max(0, wait_s))
    return path.lstat()
