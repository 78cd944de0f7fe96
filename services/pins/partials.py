"""Downloads under way: who holds which, and what dead ones have left.

Owns the folder ``partial/`` of the store. A download is held by an flock on a guard file beside it, so that two pulls
that want the same bytes make one download; the kernel lets go of it when a process ends, however it ends. Partial files
of a dead pull stay: the next one goes on with them.
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
    """Hold the download of a file, alone on this machine; gives where its bytes go.

    Where another holds it, ``waits`` is called and its end awaited.
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
    """Bytes of a download that need not be fetched again."""
    try:
        size = store.partial(file.sha256).lstat().st_size
    except FileNotFoundError:
        return 0
    return size if size <= file.size else 0


def clear(store: WeightStore, sha256: str) -> None:
    """Remove what a download leaves beside the file that it was for. It must be held."""
    partial = store.partial(sha256)
    for path in partial.parent.glob(f"{sha256}*"):
        if path != _guard(store, sha256):
            path.unlink(missing_ok=True)


def sweep(store: WeightStore, wanted: Collection[str]) -> None:
    """Remove what dead pulls have left of files that no lock names any more, or that have come since."""
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
    """Whether the guard that was locked is the one that others will see: its holder before may have removed it."""
    try:
        return os.path.samestat(os.fstat(descriptor), guard.stat())
    except FileNotFoundError:
        return False
