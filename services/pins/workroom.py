"""A folder in the store for the work of one process, on its file system; what a dead one has left, the next removes."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path

from services.pins.folder_held import folder_held
from shared.weights.store import WeightStore

_PREFIX = "locking-"


@contextmanager
def workroom(store: WeightStore) -> Iterator[Path]:
    """The folder, held (flock) and removed at the end."""
    parent = store.partial("")
    parent.mkdir(parents=True, exist_ok=True)
    with ExitStack() as held:
        with folder_held(parent):  # nobody shall take a folder that is not held yet for a dead one's
            for left in parent.glob(f"{_PREFIX}*"):
                _remove_unless_held(left)
            room = Path(tempfile.mkdtemp(prefix=_PREFIX, dir=parent))
            held.enter_context(folder_held(room))
        held.callback(shutil.rmtree, room, ignore_errors=True)
        yield room


def _remove_unless_held(room: Path) -> None:
    with suppress(FileNotFoundError, BlockingIOError), folder_held(room, at_once=True):
        shutil.rmtree(room, ignore_errors=True)
