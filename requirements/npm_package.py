"""A package of npm as a lock pins it: which version, which bytes. npm must be installed; it fetches from where its own
settings say."""

from __future__ import annotations

import base64
import hashlib
import subprocess
import sys
from pathlib import Path
from typing import Any


def packed(lock: dict[str, Any], folder: Path, update: str | None) -> Path:
    """The archive of the package, in ``folder``. With ``update`` (a version) the lock is changed to what is found;
    without, the process ends where the bytes are others than the lock says."""
    name = f"{lock['package']}@{update or lock['version']}"
    command = ["npm", "pack", "--silent", "--ignore-scripts", "--pack-destination", str(folder), name]
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    (archive,) = folder.glob("*.tgz")
    integrity = "sha512-" + base64.b64encode(hashlib.sha512(archive.read_bytes()).digest()).decode()
    if update:
        lock |= {"version": update, "integrity": integrity}
    elif integrity != lock["integrity"]:
        sys.exit(f"{name} is {integrity}, not {lock['integrity']}")
    return archive
