"""How much memory a pin takes, as measured: after loading, and while it speaks a given number of characters.

Owns the measurements for one kind of device (a machine's memory, a model of GPU), kept in one file per lock, and the
estimate for lengths that were not measured. Knows no host.
"""

from __future__ import annotations

import contextlib
import json
import logging
import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from services.worker.memory.amounts import NOTHING, Amount
from shared.files.folder_lock import folder_lock
from shared.files.whole_file import write_whole

SHORTEST = 64
"""Characters. Lengths are grouped by powers of two, starting here."""
UNMEASURED_EXTRA = 0.25
"""A pin that has not spoken yet is expected to need this share of its loaded memory in addition while it speaks."""
_NOTEWORTHY_MB = 8.0

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Footprint:
    """What was measured for one lock."""

    loaded: Amount
    extra: Mapping[int, Amount] = field(default_factory=dict)
    """Length (see `length_class`) -> what speaking took in addition to what was held before."""

    def speaking(self, chars: int) -> Amount:
        """Return the total memory to expect while ``chars`` characters are spoken."""
        return self.loaded + self.besides(chars)

    def besides(self, chars: int) -> Amount:
        """Return the memory to expect in addition to what an idle host holds. Beyond the longest measured length it
        grows in proportion."""
        if not self.extra:
            return self.loaded * UNMEASURED_EXTRA
        length = length_class(chars)
        upto = [amount for known, amount in self.extra.items() if known <= length]
        if not upto:
            return self.extra[min(self.extra)]
        most = NOTHING
        for amount in upto:
            most = most.at_least(amount)
        return most * max(1.0, length / max(self.extra))


def length_class(chars: int) -> int:
    """Return the smallest power of two, from `SHORTEST` on, that is at least ``chars``."""
    return SHORTEST << max(0, math.ceil(math.log2(max(chars, 1) / SHORTEST)))


class Footprints:
    """The measurements for every lock. For any thread of any process."""

    def __init__(self, folder: Path, kind: str) -> None:
        """``kind``: the kind of device. Measurements on other kinds are kept apart."""
        self._folder = folder / "".join(sign if sign.isalnum() else "-" for sign in kind)
        self._known: dict[str, Footprint] = {}

    def of(self, lock_sha256: str) -> Footprint | None:
        """Return what was measured, or `None` before the first measurement."""
        if lock_sha256 not in self._known and (read := self._read(lock_sha256)) is not None:
            self._known[lock_sha256] = read
        return self._known.get(lock_sha256)

    def loaded(self, lock_sha256: str, amount: Amount) -> None:
        """Record that a host of the lock was just loaded and holds ``amount``."""
        known = self.of(lock_sha256)
        if known is None or _grew(amount, known.loaded):
            with self._changing(lock_sha256) as now:
                loaded = amount if now is None else amount.at_least(now.loaded)
                self._write(lock_sha256, Footprint(loaded, now.extra if now else {}))

    def spoke(self, lock_sha256: str, chars: int, extra: Amount) -> None:
        """Record that speaking ``chars`` characters took ``extra`` in addition to what was held before."""
        known, length = self.of(lock_sha256), length_class(chars)
        if known is None or (length in known.extra and not _grew(extra, known.extra[length])):
            return
        with self._changing(lock_sha256) as written:
            now = written or known
            most = extra.at_least(now.extra.get(length, NOTHING))
            self._write(lock_sha256, replace(now, extra={**now.extra, length: most}))

    @contextlib.contextmanager
    def _changing(self, lock_sha256: str) -> Iterator[Footprint | None]:
        """Return what is written now, and keep other processes from writing for the length of the block."""
        with contextlib.ExitStack() as held:
            try:
                self._folder.mkdir(parents=True, exist_ok=True)
                held.enter_context(folder_lock(self._folder))
            except OSError as error:  # at worst another worker's measurement is lost, and made again
                log.warning("cannot lock %s: %s", self._folder, error)
            yield self._read(lock_sha256)

    def _path(self, lock_sha256: str) -> Path:
        return self._folder / f"{lock_sha256}.json"

    def _read(self, lock_sha256: str) -> Footprint | None:
        """Return what is written, or `None`. A file that is not a measurement counts as never measured and is written
        anew."""
        try:
            said = json.loads(self._path(lock_sha256).read_bytes())
            extra = {_length(length): _amount(amount) for length, amount in said["extra"].items()}
            return Footprint(_amount(said["loaded"]), extra)
        except FileNotFoundError:
            return None
        except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
            log.warning("measuring the memory of %s again: its file cannot be read: %r", lock_sha256, error)
            return None

    def _write(self, lock_sha256: str, footprint: Footprint) -> None:
        path = self._path(lock_sha256)
        said = {
            "loaded": footprint.loaded.to_json(),
            "extra": {str(length): amount.to_json() for length, amount in sorted(footprint.extra.items())},
        }
        self._known[lock_sha256] = footprint
        try:
            write_whole(path, json.dumps(said, indent=1))
        except OSError as error:  # it is measured again after the next start
            log.warning("the measured memory of %s was not stored: %s", lock_sha256, error)


def _amount(said: Mapping[str, Any]) -> Amount:
    amount = Amount.from_json(said)
    if not (0 <= amount.rss_mb < math.inf and 0 <= amount.vram_mb < math.inf):
        raise ValueError(f"{amount.to_json()} is not an amount of memory")
    return amount


def _length(said: str) -> int:
    if (length := int(said)) < SHORTEST:
        raise ValueError(f"{said} is not a length")
    return length


def _grew(now: Amount, before: Amount) -> bool:
    more = now.beyond(before)
    return more.rss_mb > _NOTEWORTHY_MB or more.vram_mb > _NOTEWORTHY_MB
