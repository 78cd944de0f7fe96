"""The stack's file in the data folder, and the lock beside it.

Owns stack.json (who runs: pids and start times) and stack.lock (one `up` or `down` at a time). The lock is the
kernel's and dies with its holder; the file outlives a supervisor that was killed, so that the next one can clean up.
"""

from __future__ import annotations

import fcntl
import json
import os
import time
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from types import TracebackType

from services.embedded.errors import FolderBusy
from services.embedded.identity import Identity
from services.embedded.preflight import writing

_FORMAT = 1


@dataclass(frozen=True, slots=True)
class StackRecord:
    """Who runs in a data folder."""

    mark: str
    """What every process of this stack carries in its environment (identity.MARK)."""
    supervisor: Identity
    urls: Mapping[str, str]
    """Where it answers: ``api`` and, where it has one, ``mlflow``."""
    children: Mapping[str, Identity] = field(default_factory=dict)
    """By name, in the order they were started."""
    ready: bool = False

    def with_children(self, children: Mapping[str, Identity], *, ready: bool) -> StackRecord:
        return replace(self, children=dict(children), ready=ready)


def record_path(folder: Path) -> Path:
    return folder / "stack.json"


def write_record(folder: Path, record: StackRecord) -> None:
    """Replace the file whole and durably; readable by its user only, as its URLs may be private."""
    draft = folder / ".stack.json.new"
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with open(descriptor, "w", encoding="utf-8") as file:
        json.dump({"format": _FORMAT, **asdict(record)}, file, indent=1)
        file.flush()
        os.fsync(file.fileno())
    draft.replace(record_path(folder))


def read_record(folder: Path) -> StackRecord | None:
    """The record, or ``None`` where there is none that can be read."""
    try:
        data = json.loads(record_path(folder).read_text(encoding="utf-8"))
        return StackRecord(
            mark=data["mark"],
            supervisor=Identity.from_json(data["supervisor"]),
            urls=data["urls"],
            children={name: Identity.from_json(child) for name, child in data["children"].items()},
            ready=data["ready"],
        )
    except (OSError, ValueError, KeyError, TypeError):
        return None


class FolderLock:
    """The right to start or end a stack in one data folder; a context that holds it until left."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        with writing(folder):
            self._file = os.open(folder / "stack.lock", os.O_RDWR | os.O_CREAT, 0o600)

    def take(self, timeout_s: float = 0.0) -> bool:
        """Whether the lock was to be had within ``timeout_s``."""
        deadline = time.monotonic() + timeout_s
        while True:
            try:
                fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                if time.monotonic() >= deadline:
                    return False
                time.sleep(0.05)
            else:
                return True

    def insist(self, timeout_s: float) -> None:
        """Take the lock. `FolderBusy` where it is not to be had within ``timeout_s``."""
        if not self.take(timeout_s):
            raise FolderBusy(f"another `ringtrue up` or `down` is at work in {self._folder}; try again in a moment")

    def __enter__(self) -> FolderLock:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        os.close(self._file)
