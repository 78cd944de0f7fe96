"""What tests of pulling share: a voice on a hub, its lock, and who listens to a pull."""

from __future__ import annotations

import json
import os
import random
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from services.pins.pulling.file_sources import SourcesOf
from services.pins.pulling.pull import Pulled, Unpulled, pull
from services.pins.sources.base import SourceAccess
from services.pins.sources.table import open_sources
from shared.weights.lock import LockedFile, PinLock, Source, write_locks
from shared.weights.store import WeightStore
from tests.model_stores import locked
from tests.pins.hub import Hub

REPO = "team/voice"
HUBS = ("huggingface", "modelscope")


def voice(seed: int = 1, size: int = 300_000) -> dict[str, bytes]:
    """The files of a tiny model; `model.bin` differs from seed to seed."""
    return {
        "config.json": b'{"sample_rate": 16000}',
        "vocoder/generator.bin": random.Random("generator").randbytes(size // 3),
        "model.bin": random.Random(seed).randbytes(size),
    }


def on_hub(hub: Hub, files: Mapping[str, bytes], kind: str = "huggingface", name: str = "voice-v1") -> PinLock:
    """Commit the files to the hub and lock them there."""
    commit = hub.repo(REPO).commit(files)
    return locked(name, files, Source(hub=kind, repo=REPO, revision=commit))


def sources_of(access: SourceAccess) -> SourcesOf:
    return lambda component: [opened for source in component.sources for opened in open_sources(source, access)]


@dataclass
class Heard:
    """An progress that remembers."""

    expected: list[str] = field(default_factory=list)
    came: dict[str, int] = field(default_factory=dict)
    source_name: dict[str, str | None] = field(default_factory=dict)
    lines: list[str] = field(default_factory=list)

    def expects(self, missing: Sequence[LockedFile], /) -> None:
        self.expected = [file.path for file in missing]

    def begins(self, file: LockedFile, there: int, /) -> None:
        self.came[file.path] = there

    def moves(self, file: LockedFile, count: int, /) -> None:
        self.came[file.path] += count

    def ends(self, file: LockedFile, source_name: str | None, /) -> None:
        self.source_name[file.path] = source_name

    def says(self, line: str, /) -> None:
        self.lines.append(line)


def left_over(store: WeightStore) -> list[Path]:
    """What a pull that is done has no business to leave."""
    hidden = list(store.root.rglob(".*"))
    return sorted([*hidden, *store.partial("").glob("*")])


def quarantined(store: WeightStore) -> list[dict[str, object]]:
    """The notes of what lies in quarantine."""
    return [json.loads(path.read_text()) for path in sorted((store.root / "quarantine").glob("*.json"))]


def pulled(store: WeightStore, lock: PinLock, access: SourceAccess, heard: Heard | None = None) -> Pulled:
    (outcome,) = pull(store, [lock], sources_of(access), heard or Heard())
    assert isinstance(outcome, Pulled), outcome
    return outcome


def unpulled(store: WeightStore, lock: PinLock, access: SourceAccess) -> Unpulled:
    (outcome,) = pull(store, [lock], sources_of(access), Heard())
    assert isinstance(outcome, Unpulled), outcome
    return outcome


@dataclass
class Machine:
    """A data folder, and `ringtrue models pull` in it, as processes."""

    data: Path
    started: list[subprocess.Popen[str]] = field(default_factory=list)

    @property
    def store(self) -> WeightStore:
        return WeightStore(self.data / "models")

    def lock(self, *locks: PinLock) -> None:
        self.data.mkdir(parents=True, exist_ok=True)
        write_locks(self.data / "catalog.lock", {lock.name: lock for lock in locks})

    def start(self, *arguments: str, **settings: str) -> subprocess.Popen[str]:
        environ = {name: value for name, value in os.environ.items() if not name.startswith(("RINGTRUE_", "HF_HUB_"))}
        environ |= {"RINGTRUE_DATA": str(self.data), **settings}
        process = subprocess.Popen(
            [sys.executable, "-m", "ringtrue", "models", "pull", *arguments],
            env=environ,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        self.started.append(process)
        return process

    def pull(self, *arguments: str, **settings: str) -> subprocess.CompletedProcess[str]:
        process = self.start(*arguments, **settings)
        out, err = process.communicate(timeout=60)
        return subprocess.CompletedProcess(process.args, process.returncode, out, err)

    def stop(self) -> None:
        for process in self.started:
            process.kill()
            process.communicate()
