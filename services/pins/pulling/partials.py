"""Downloads in progress: which process holds which, and what dead processes have left.

Owns the folder ``partial/`` of the store. A download is held by an flock on a guard file beside it, so that two pulls
that want the same bytes make one download. The kernel releases the lock when the process ends, however it ends. Partial
files of a dead pull stay, and the next pull continues them.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
from collections.abc import Callable, Collection, Iterator
from pathlib import Path

from shared.weights.lock import SHA256, LockedFile
from shared.weights.store import WeightStore

_GUARD = ".held"


@contextlib.contextmanager
def holding(store: WeightStore, sha256: str, waits: Callable[[], None]) -> Iterator[Path]:
    """Hold the download of a file, alone on this machine, for the length of the block. Gives the path for its bytes.

    If another process holds it, ``waits`` is called, and this one waits for its end.
    """
    guard = _guard(store, sha256)
    guard.parent.mkdir(parents=True, exist_ok=True)
    while True:
        with guard.open("a") as opened:
            if not _locked(opened.fileno()):
                waits()
                fcntl.flock(opened, fcntl.LOCK_EX)
            if _still_there(opened.fileno(), guard):
                try:
                    yield store.partial(sha256)
                finally:
                    guard.unlink(missing_ok=True)
                return


def arrived(store: WeightStore, file: LockedFile) -> int:
    """Return the bytes of a download that need not be fetched again."""
    try:
        size = store.partial(file.sha256).lstat().st_size
    except FileNotFoundError:
        return 0
    return size if size <= file.size else 0


def clear(store: WeightStore, sha256: str) -> None:
    """Remove all partial files of a download except its guard. The download must be held."""
    partial = store.partial(sha256)
    for path in partial.parent.glob(f"{sha256}*"):
        if path != _guard(store, sha256):
            path.unlink(missing_ok=True)


def sweep(store: WeightStore, wanted: Collection[str]) -> None:
    """Remove what dead pulls have left of files that no lock names any more, or that are in the store by now."""
    with contextlib.suppress(FileNotFoundError):
        for sha256 in {path.name[:64] for path in store.partial("").iterdir()}:
            if SHA256.fullmatch(sha256) and (sha256 not in wanted or os.path.lexists(store.blob(sha256))):
                _clear_unless_held(store, sha256)


def _clear_unless_held(store: WeightStore, sha256: str) -> None:
    guard = _guard(store, sha256)
    with guard.open("a") as opened:
        if _locked(opened.fileno()) and _still_there(opened.fileno(), guard):
            clear(store, sha256)
            guard.unlink()


def _guard(store: WeightStore, sha256: str) -> Path:
    partial = store.partial(sha256)
    return partial.with_name(partial.name + _GUARD)


def _locked(descriptor: int) -> bool:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _still_there(descriptor: int, guard: Path) -> bool:
    """Return whether the locked guard is still the one in the folder. Its former holder may have removed it; a process
    that opened it before would then lock a file that others no longer see."""
    try:
        return os.path.samestat(os.fstat(descriptor), guard.stat())
    except FileNotFoundError:
        return False
