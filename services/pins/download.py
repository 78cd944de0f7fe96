"""One file into the store, from the first source that delivers the right bytes.

Owns the order: what the store has, what an earlier download left, then one source after the other; and when a source
is asked no more. Knows no kind of source, and believes none.
"""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from services.pins.offers import Offer
from services.pins.onlooker import Onlooker
from services.pins.partials import arrived, clear, holding
from services.pins.sources.base import Gone, ModelSource, SourceFailed
from shared.errors import RingtrueError
from shared.weights.lock import LockedFile
from shared.weights.store import WeightStore, WrongBytes
from shared.weights.verification import untouched

_STRIKES = 2
_EARLIER = "an earlier download"


class NotBrought(RingtrueError):
    """No source has delivered the file; the message says of each why."""


@dataclass(frozen=True, slots=True)
class Brought:
    """A file that is in the store now. ``whence``: who delivered it, or its last bytes; ``None``: it was there."""

    file: LockedFile
    whence: str | None = None
    received: int = 0
    """Bytes that travelled, wrong ones too."""


@dataclass(slots=True)
class Standing:
    """How the sources have fared in this pull: one that fails twice in a row is asked no more."""

    _failures: Counter[str] = field(default_factory=Counter)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def asked_no_more(self, source: ModelSource) -> bool:
        return self._failures[source.name] >= _STRIKES

    def fared(self, source: ModelSource, error: Exception | None) -> None:
        """It has delivered, or failed. That it does not have a file says nothing of the others."""
        with self._lock:
            if error is None:
                self._failures[source.name] = 0
            elif not isinstance(error, Gone):
                self._failures[source.name] += 1


@dataclass(frozen=True, slots=True)
class Download:
    """Brings files, in any thread; two never bring the same one, not even of two processes."""

    store: WeightStore
    onlooker: Onlooker
    standing: Standing = field(default_factory=Standing)

    def bring(self, file: LockedFile, offers: Sequence[Offer]) -> Brought:
        """`NotBrought` where no source delivers it; `OSError` is the disk's."""

        def waits() -> None:
            self.onlooker.says(f"{file.path}: another pull is fetching it; waiting")

        with holding(self.store, file.sha256, waits) as partial:
            brought = Brought(file) if self._there(file) else self._fetched(file, offers, partial)
            clear(self.store, file.sha256)
        self.onlooker.ends(file, brought.whence)
        return brought

    def _there(self, file: LockedFile) -> bool:
        """Whether the store has it, right to the byte; what is there and wrong is put into quarantine."""
        if not self.store.has(file):
            return False
        if untouched(self.store, file):
            return True
        return self._adopted(self.store.blob(file.sha256), file, "the store itself")

    def _fetched(self, file: LockedFile, offers: Sequence[Offer], partial: Path) -> Brought:
        if file.size and arrived(self.store, file) == file.size and self._adopted(partial, file, _EARLIER):
            return Brought(file, _EARLIER)
        failures = []
        for offer in offers:
            if self.standing.asked_no_more(offer.source):
                failures.append(f"{offer.source.name}: not asked again")
                continue
            try:
                received = self._from(offer, partial)
            except (SourceFailed, WrongBytes) as error:
                self.standing.fared(offer.source, error)
                self.onlooker.says(str(error))
                failures.append(str(error))
            else:
                self.standing.fared(offer.source, None)
                return Brought(file, offer.source.name, received)
        raise NotBrought(f"{file.path} cannot be had: {'; '.join(failures) or 'the lock names no source'}")

    def _from(self, offer: Offer, partial: Path) -> int:
        """Bytes received. A download that was gone on with and is wrong says nothing against who delivered the rest."""
        counted = _Counted(self.onlooker, offer.file)
        whence = offer.source.name
        if arrived(self.store, offer.file):
            self._fetch(offer, partial, counted)
            if self._adopted(partial, offer.file, f"{_EARLIER} and {whence}"):
                return counted.received
        self._fetch(offer, partial, counted)
        self.store.adopt(partial, offer.file, whence=whence)
        return counted.received

    def _fetch(self, offer: Offer, partial: Path, counted: _Counted) -> None:
        self.onlooker.begins(offer.file, arrived(self.store, offer.file))
        partial.touch()
        offer.source.fetch(offer.file, partial, counted)

    def _adopted(self, brought: Path, file: LockedFile, whence: str) -> bool:
        """Whether it was right; what was not lies in quarantine, and that is said."""
        try:
            self.store.adopt(brought, file, whence=whence)
        except WrongBytes as error:
            self.onlooker.says(str(error))
            return False
        return True


@dataclass(slots=True)
class _Counted:
    """Hears of the bytes of one file."""

    onlooker: Onlooker
    file: LockedFile
    received: int = 0

    def __call__(self, count: int) -> None:
        self.received += max(count, 0)
        self.onlooker.moves(self.file, count)
