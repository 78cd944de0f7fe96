"""Brings one file into the store, from the first source that delivers the right bytes.

Owns the order (what the store has, what an earlier download left, then one source after the other), and when a source
is no longer asked. Knows no kind of source, and trusts none.
"""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from services.pins.pulling.file_sources import FileSource
from services.pins.pulling.partials import arrived, clear, holding
from services.pins.pulling.pull_progress import PullProgress
from services.pins.sources.base import Gone, ModelSource, SourceFailed
from shared.errors import RingtrueError
from shared.weights.lock import LockedFile
from shared.weights.store import WeightStore, WrongBytes
from shared.weights.verification import untouched

_STRIKES = 2
_EARLIER = "an earlier download"


class NotBrought(RingtrueError):
    """No source has delivered the file. The message gives the reason for each."""


@dataclass(frozen=True, slots=True)
class Brought:
    """A file that is in the store now. ``source_name``: what delivered it, or its last bytes; ``None`` if it was there
    already."""

    file: LockedFile
    source_name: str | None = None
    received: int = 0
    """Bytes that were transferred, including wrong ones."""


@dataclass(slots=True)
class SourceHealth:
    """The failures of each source in this pull. A source that fails twice in a row is no longer asked."""

    _failures: Counter[str] = field(default_factory=Counter)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def asked_no_more(self, source: ModelSource) -> bool:
        return self._failures[source.name] >= _STRIKES

    def fared(self, source: ModelSource, error: Exception | None) -> None:
        """Note that a source delivered, or failed with ``error``. A missing file does not count: it says nothing about
        other files."""
        with self._lock:
            if error is None:
                self._failures[source.name] = 0
            elif not isinstance(error, Gone):
                self._failures[source.name] += 1


@dataclass(frozen=True, slots=True)
class Download:
    """Brings files, in any thread. The same file is never downloaded twice at once, not even by two processes."""

    store: WeightStore
    progress: PullProgress
    standing: SourceHealth = field(default_factory=SourceHealth)

    def bring(self, file: LockedFile, sources: Sequence[FileSource]) -> Brought:
        """Bring one file. Raises `NotBrought` if no source delivers it, and `OSError` if the disk fails."""

        def waits() -> None:
            self.progress.says(f"{file.path}: another pull is fetching it; waiting")

        with holding(self.store, file.sha256, waits) as partial:
            brought = Brought(file) if self._there(file) else self._fetched(file, sources, partial)
            clear(self.store, file.sha256)
        self.progress.ends(file, brought.source_name)
        return brought

    def _there(self, file: LockedFile) -> bool:
        """Return whether the store has the right bytes. Wrong ones are moved into quarantine."""
        if not self.store.has(file):
            return False
        if untouched(self.store, file):
            return True
        return self._adopted(self.store.blob(file.sha256), file, "the store itself")

    def _fetched(self, file: LockedFile, sources: Sequence[FileSource], partial: Path) -> Brought:
        if file.size and arrived(self.store, file) == file.size and self._adopted(partial, file, _EARLIER):
            return Brought(file, _EARLIER)
        failures = []
        for source in sources:
            if self.standing.asked_no_more(source.source):
                failures.append(f"{source.source.name}: skipped after earlier failures")
                continue
            try:
                received = self._from(source, partial)
            except (SourceFailed, WrongBytes) as error:
                self.standing.fared(source.source, error)
                self.progress.says(str(error))
                failures.append(str(error))
            else:
                self.standing.fared(source.source, None)
                return Brought(file, source.source.name, received)
        raise NotBrought(f"{file.path} cannot be fetched: {'; '.join(failures) or 'the lock names no source'}")

    def _from(self, source: FileSource, partial: Path) -> int:
        """Fetch from one source and return the bytes received. If a continued download is wrong, this source may not be
        to blame, so the file is fetched once more from the beginning."""
        counted = _Counted(self.progress, source.file)
        if arrived(self.store, source.file):
            self._fetch(source, partial, counted)
            if self._adopted(partial, source.file, f"{_EARLIER} and {source.source.name}"):
                return counted.received
        self._fetch(source, partial, counted)
        self.store.adopt(partial, source.file, source_name=source.source.name)
        return counted.received

    def _fetch(self, source: FileSource, partial: Path, counted: _Counted) -> None:
        self.progress.begins(source.file, arrived(self.store, source.file))
        partial.touch()
        source.source.fetch(source.file, partial, counted)

    def _adopted(self, brought: Path, file: LockedFile, source_name: str) -> bool:
        """Return whether the bytes were right. Wrong ones are moved into quarantine and reported."""
        try:
            self.store.adopt(brought, file, source_name=source_name)
        except WrongBytes as error:
            self.progress.says(str(error))
            return False
        return True


@dataclass(slots=True)
class _Counted:
    """Counts the bytes of one file and reports them."""

    progress: PullProgress
    file: LockedFile
    received: int = 0

    def __call__(self, count: int) -> None:
        self.received += max(count, 0)
        self.progress.moves(self.file, count)
