"""A machine of its own: a data folder, and `ringtrue models` in it, as a process that no network reaches."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from services.pins.archives.archive import Contents, reading
from services.pins.archives.carrying import export_pins, import_pins
from services.pins.locking.lock_book import LockBook
from shared.weights.catalog_file import Entry, Wanted, read_catalog
from shared.weights.catalog_text import put_entries
from shared.weights.lock import PinLock, read_locks, write_locks
from shared.weights.store import WeightStore
from tests.shared.weights.voices import HUB, VOICE, lock_of, pulled

V21: Mapping[str, bytes] = {**VOICE, "model.bin": b"the older one" * 1000, "old.json": b"{}"}
NOWHERE = "http://127.0.0.1:9"
OFFLINE = {
    **dict.fromkeys(("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "HF_ENDPOINT", "MODELSCOPE_DOMAIN"), NOWHERE),
    "HF_HUB_OFFLINE": "1",
}


@dataclass(frozen=True)
class Machine:
    """One host folder."""

    data: Path

    @property
    def store(self) -> WeightStore:
        return WeightStore(self.data / "models")

    @property
    def lock_file(self) -> Path:
        return self.data / "catalog.lock"

    @property
    def catalog(self) -> Path:
        return self.data / "catalog.toml"

    def has(self, files: Mapping[str, bytes], name: str) -> PinLock:
        """The pin is in the catalog, locked and pulled."""
        lock = self.knows(files, name)
        pulled(self.store, files, name)
        return lock

    def knows(self, files: Mapping[str, bytes], name: str) -> PinLock:
        """The pin is in the catalog and locked."""
        self.data.mkdir(parents=True, exist_ok=True)
        lock = lock_of(files, name)
        put_entries(
            self.catalog, [Entry(name, lock.engine, (Wanted("model", (HUB,)),), description=f"{name}, a test's")]
        )
        write_locks(self.lock_file, {**read_locks(self.lock_file), name: lock})
        return lock

    def models(self, *arguments: str | Path, **settings: str) -> subprocess.CompletedProcess[str]:
        """`ringtrue models` with these arguments."""
        environ = {name: value for name, value in os.environ.items() if not name.startswith("RINGTRUE_")}
        environ |= {"RINGTRUE_DATA": str(self.data), **OFFLINE, **settings}
        command = [sys.executable, "-m", "ringtrue", "models", *map(str, arguments)]
        return subprocess.run(command, env=environ, capture_output=True, text=True, timeout=60, check=False)

    def documents(self, *arguments: str | Path, **settings: str) -> list[dict[str, Any]]:
        """What a command says as JSON, an object per line."""
        return [json.loads(line) for line in self.models(*arguments, "--json", **settings).stdout.splitlines()]

    def everything(self) -> dict[str, bytes | str]:
        """Every file and link of the data folder, but for what is only held or remembered."""
        found: dict[str, bytes | str] = {}
        for path in sorted(self.data.rglob("*")):
            name = str(path.relative_to(self.data))
            if name.startswith(("models/in-use/", "models/quarantine/")) or (path.is_dir() and not path.is_symlink()):
                continue
            found[name] = os.readlink(path) if path.is_symlink() else path.read_bytes()
        return found


def exported(machine: Machine, file: Path) -> Path:
    """Every pin that the machine has, in one file."""
    export_pins(machine.store, Contents(read_locks(machine.lock_file), read_catalog(machine.catalog)), file)
    return file


def taken_in(machine: Machine, file: Path, **options: Any) -> None:
    """`import`, within this process."""
    with reading(file) as archive:
        import_pins(machine.store, machine.catalog, LockBook(machine.lock_file), archive, **options)
