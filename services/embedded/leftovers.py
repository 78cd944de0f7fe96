"""Cleans up after a supervisor that was killed: processes that still run, files that are left.

Owns how they are ended. A signal goes only to processes that the stack's record names, by pid and start time, and to
those that carry the stack's own mark.
"""

from __future__ import annotations

import signal
from collections.abc import Callable
from pathlib import Path

from services.embedded.processes.identity import end_marked, wait_gone
from services.embedded.record import read_record, record_path
from services.embedded.run_folder import remove_run_folders

ORPHAN_GRACE_S = 10.0
STRAY_GRACE_S = 3.0

Say = Callable[[str], None]


def clear_leftovers(folder: Path, say: Say) -> None:
    """End what is left of the stack of ``folder``, and remove its record. The caller must hold the folder's lock."""
    record = read_record(folder)
    if record:
        orphans = {name: child for name, child in record.children.items() if child.alive()}
        if orphans:
            say(f"stopping processes that the stack of pid {record.supervisor.pid} left running: {', '.join(orphans)}")
        for orphan in reversed(orphans.values()):
            orphan.send(signal.SIGTERM)
        for orphan in wait_gone([*orphans.values()], ORPHAN_GRACE_S):
            orphan.send_group(signal.SIGKILL)
        end_marked(record.mark, STRAY_GRACE_S)
    record_path(folder).unlink(missing_ok=True)
    remove_run_folders(folder)
