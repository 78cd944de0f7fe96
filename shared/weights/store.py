"""The store: every file once, under its SHA-256, and per pin a folder of links to its files (the snapshot).

Owns the layout of ``RINGTRUE_MODELS`` and how a file gets in: only by its right hash. Whether what lies there is still
right is asked in verification.py. Several processes may use one store; no file is changed once it is in.

    blobs/sha256/4f/4f1c…      the files, read-only
    checked/4f1c….json         what the system said of a file when it was last hashed whole
    snapshots/PIN-<16 hex>/    links, laid out as the lock says
    in-use/<lock sha256>       held (flock) by workers that serve the pin
    partial/4f1c…              downloads under way; held (flock) by whoever downloads
    quarantine/                files whose bytes were wrong, with a note on what was expected and whence they came
"""

from __future__ import annotations

import contextlib
import json
import os
import re
import stat
import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from shared.flock import flock
from shared.weights import layout
from shared.weights.errors import InUse, LockMismatch
from shared.weights.hashing import OnBytes, never_mind, sha256_of
from shared.weights.lock import EMPTY_SHA256, SHA256, LockedFile, PinLock

_TICK_S = 0.01


class WrongBytes(LockMismatch):
    """A file that was brought is not the locked one; it lies in quarantine."""

    def __init__(self, file: LockedFile, found: str, whence: str, quarantined: Path) -> None:
        what = "is empty" if found == EMPTY_SHA256 else f"has sha256 {found}"
        super().__init__(f"{file.path} from {whence} {what}; locked is {file.sha256} ({quarantined})")
        self.file = file
        self.found = found


@dataclass(frozen=True, slots=True)
class WeightStore:
    """The folder ``root``; made when something is first put in."""

    root: Path

    def blob(self, sha256: str) -> Path:
        """Where the file of this hash lies, if it is there."""
        return self.root / "blobs" / "sha256" / sha256[:2] / sha256

    def partial(self, sha256: str) -> Path:
        """Where its download lies while it is under way."""
        return self.root / "partial" / sha256

    def snapshot(self, lock: PinLock) -> Path:
        """The folder that an engine is given."""
        return self.root / "snapshots" / f"{lock.name}-{lock.sha256[:16]}"

    def has(self, file: LockedFile) -> bool:
        """Whether a regular file of its size lies there; verification.py says whether it is the right one."""
        try:
            status = self.blob(file.sha256).lstat()
        except OSError:
            return False
        return stat.S_ISREG(status.st_mode) and status.st_size == file.size

    def adopt(self, brought: Path, file: LockedFile, *, whence: str, on_bytes: OnBytes = never_mind) -> None:
        """Take ``brought`` (on the store's file system) into the store if it is ``file``; it is moved.

        `WrongBytes` where it is not; then it lies in quarantine and nothing else has changed. No fsync: a file cut
        short by a power cut has another size, and is found out by that.
        """
        found = sha256_of(brought, on_bytes)
        if found != file.sha256:
            raise WrongBytes(file, found, whence, self._quarantined(brought, file, found, whence))
        blob = self.blob(file.sha256)
        blob.parent.mkdir(parents=True, exist_ok=True)
        brought.chmod(0o444)
        brought.replace(blob)
        self.record(file.sha256, settled(blob))

    def link(self, lock: PinLock) -> Path:
        """Make the snapshot of ``lock``, unless it is right; every file of it must be there. Returns its folder."""
        folder = self.snapshot(lock)
        layout.make(folder, self.targets(lock))
        return folder

    def unlink(self, lock: PinLock) -> None:
        """Take the snapshot of ``lock`` away; its files stay."""
        layout.remove(self.snapshot(lock))

    def targets(self, lock: PinLock) -> dict[str, str]:
        """Path in the snapshot -> what the link there says, relative to where it stands."""
        folder = self.snapshot(lock)
        return {file.path: os.path.relpath(self.blob(file.sha256), (folder / file.path).parent) for file in lock.files}

    def record(self, sha256: str, status: os.stat_result | None) -> None:
        """Write down what `settled` gave for a file, right before it was hashed whole and found right.

        Written in place: half a note is no JSON and counts as none.
        """
        if status is None:
            return
        note = self._note(sha256)
        note.parent.mkdir(parents=True, exist_ok=True)
        note.write_text(json.dumps({"seen": seen(status), "at": time.time()}))

    def recorded(self, sha256: str) -> tuple[list[int], float] | None:
        """What was written down, and when (epoch seconds); ``None`` where nothing readable was."""
        try:
            note = json.loads(self._note(sha256).read_bytes())
            return list(note["seen"]), float(note["at"])
        except (OSError, ValueError, KeyError, TypeError):
            return None

    @contextlib.contextmanager
    def using(self, lock: PinLock, *, alone: bool = False) -> Iterator[None]:
        """Hold the pin, as a worker does that serves it; ``alone``: as one who removes it, `InUse` if it is held.

        The kernel lets go of it when the process ends, however it ends.
        """
        with self._held(lock.name, lock.sha256, alone=alone):
            yield

    def remove(self, lock: PinLock, others: Iterable[PinLock]) -> int:
        """Remove the snapshots of ``lock`` and of what the pin was locked to before, and their files, but for those of
        ``others`` and of every snapshot that stays. Returns the bytes freed.

        `InUse` where a running worker serves it; then nothing has changed.
        """
        with self.using(lock, alone=True), contextlib.ExitStack() as held:
            folders = [self.snapshot(lock), *self._former(lock, held)]
            files = {file.sha256 for file in lock.files} | self._linked(folders)
            for folder in folders:
                layout.remove(folder)
            return self.drop(files, others)

    def drop(self, files: Iterable[str], others: Iterable[PinLock]) -> int:
        """Remove files, by hash, but for those of ``others`` and of every snapshot. Returns the bytes freed."""
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
                raise InUse(f"a running worker serves {name}, or it is being pulled") from error
            yield

    def _former(self, lock: PinLock, held: contextlib.ExitStack) -> Iterator[Path]:
        """Snapshots of earlier locks of the pin that nobody uses; they are held until ``held`` ends."""
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
        """Every one there is, those that are being made too."""
        try:
            return sorted((self.root / "snapshots").iterdir())
        except FileNotFoundError:
            return []

    def _linked(self, folders: Iterable[Path]) -> set[str]:
        named = {Path(target).name for folder in folders for target in layout.links_in(folder)}
        return {name for name in named if SHA256.fullmatch(name)}

    def _forgotten(self, sha256: str) -> int:
        """Remove a file; gives its bytes."""
        blob, size = self.blob(sha256), 0
        with contextlib.suppress(FileNotFoundError):
            size = blob.lstat().st_size
            blob.unlink()
        self._note(sha256).unlink(missing_ok=True)
        return size

    def _note(self, sha256: str) -> Path:
        return self.root / "checked" / f"{sha256}.json"

    def _quarantined(self, brought: Path, file: LockedFile, found: str, whence: str) -> Path:
        folder = self.root / "quarantine"
        folder.mkdir(parents=True, exist_ok=True)
        path = folder / f"{file.sha256[:16]}-{time.time_ns()}-{Path(file.path).name}"
        brought.replace(path)
        note = {
            "path": file.path,
            "from": whence,
            "locked_sha256": file.sha256,
            "found_sha256": found,
            "at": time.time(),
        }
        path.with_name(f"{path.name}.json").write_text(json.dumps(note, indent=2))
        return path


def seen(status: os.stat_result) -> list[int]:
    """What tells a file that was touched from one that was not. The time of its last change (ctime) cannot be set back
    by whoever writes into it; the time of modification can."""
    return [status.st_size, status.st_mtime_ns, status.st_ctime_ns, status.st_ino]


def settled(path: Path) -> os.stat_result | None:
    """What the system says of a file, once every further change must show in it: times are given in ticks, and within
    one a file can change twice. ``None`` where the time of its last change is still to come."""
    wait_s = path.lstat().st_ctime_ns / 1e9 + _TICK_S - time.time()
    if wait_s > _TICK_S:
        return None
    time.sleep(max(0, wait_s))
    return path.lstat()
