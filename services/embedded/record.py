"""The stack's file in the data folder, and the lock beside it.

Owns stack.json (what runs: pids and start times) and stack.lock (one `up` or `down` at a time). The lock is the
kernel's and ends with its holder. The file outlives a supervisor that was killed, so that the next one can clean up.
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
from services.embedded.preflight import writing
from services.embedded.processes.identity import Identity
from shared.files.whole_file import write_whole

_FORMAT = 1


@dataclass(frozen=True, slots=True)
class StackRecord:
    """What runs in a data folder."""

    mark: str
    """What every process of this stack carries in its environment (identity.MARK)."""
    supervisor: Identity
    urls: Mapping[str, str]
    """The addresses of the stack: ``api`` and, if it has one, ``mlflow``."""
    children: Mapping[str, Identity] = field(default_factory=dict)
    """By name, in the order they were started."""
    ready: bool = False

    def with_children(self, children: Mapping[str, Identity], *, ready: bool) -> StackRecord:
        return replace(self, children=dict(children), ready=ready)


def record_path(folder: Path) -> Path:
    return folder / "stack.json"


def write_record(folder: Path, record: StackRecord) -> None:
    """Replace the whole file durably. Only its user can read it, because its URLs may be private."""
    text = json.dumps({"format": _FORMAT, **asdict(record)}, indent=1)
    write_whole(record_path(folder), text, mode=0o600, durable=True)


def read_record(folder: Path) -> StackRecord | None:
    """Return the record, or ``None`` if there is none that can be read."""
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
    """The right to start or end a stack in one data folder, held until the context is left."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        with writing(folder):
            self._file = os.open(folder / "stack.lock", os.O_RDWR | os.O_CREAT, 0o600)

    def take(self, timeout_s: float = 0.0) -> bool:
        """Return whether the lock was taken within ``timeout_s`` seconds."""
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
        """Take the lock. Raises `FolderBusy` if that fails for ``timeout_s`` seconds."""
        if not self.take(timeout_s):
            raise FolderBusy(f"another `ringtrue up` or `down` is running in {self._folder}; try again in a moment")

    def __enter__(self) -> FolderLock:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        os.close(self._file)
