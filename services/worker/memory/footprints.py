"""How much memory a pin takes, by measurement: once loaded, and while it speaks so many characters.

Owns the measurements of one kind of device (a machine's memory; a model of GPU), kept as a file per lock, and what is
expected of a length that was not measured yet. Knows no host.
"""

from __future__ import annotations

import contextlib
import json
import math
import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

from services.worker.memory.amounts import NOTHING, Amount
from shared.folder_held import folder_held

SHORTEST = 64
"""Characters. Lengths are told apart by powers of two, from here on."""
UNMEASURED_EXTRA = 0.25
"""Of what it takes loaded, a pin that has not spoken yet is expected to need besides while it speaks."""
_NOTEWORTHY_MB = 8.0


@dataclass(frozen=True, slots=True)
class Footprint:
    """What was measured of one lock."""

    loaded: Amount
    extra: Mapping[int, Amount] = field(default_factory=dict)
    """Length (see `length_class`) -> what speaking took besides what was held before it."""

    def speaking(self, chars: int) -> Amount:
        """To expect in all while ``chars`` characters are spoken."""
        return self.loaded + self.besides(chars)

    def besides(self, chars: int) -> Amount:
        """To expect besides what is held while it rests. Lengths beyond all that was measured: in proportion."""
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
    """The power of two, from `SHORTEST` on, that ``chars`` characters fit into."""
    return SHORTEST << max(0, math.ceil(math.log2(max(chars, 1) / SHORTEST)))


class Footprints:
    """The measurements of every lock, for any thread of any process."""

    def __init__(self, folder: Path, kind: str) -> None:
        """``kind``: the kind of device; measurements of another are no news here."""
        self._folder = folder / "".join(sign if sign.isalnum() else "-" for sign in kind)
        self._known: dict[str, Footprint] = {}
        self._folder.mkdir(parents=True, exist_ok=True)

    def of(self, lock_sha256: str) -> Footprint | None:
        """What is known; `None` before the first measurement."""
        if lock_sha256 not in self._known and (read := self._read(lock_sha256)) is not None:
            self._known[lock_sha256] = read
        return self._known.get(lock_sha256)

    def loaded(self, lock_sha256: str, amount: Amount) -> None:
        """It was just loaded and holds ``amount``."""
        known = self.of(lock_sha256)
        if known is None or _grew(amount, known.loaded):
            with self._changing(lock_sha256) as now:
                loaded = amount if now is None else amount.at_least(now.loaded)
                self._write(lock_sha256, Footprint(loaded, now.extra if now else {}))

    def spoke(self, lock_sha256: str, chars: int, extra: Amount) -> None:
        """It has spoken ``chars`` characters and took ``extra`` besides what it held before."""
        known, length = self.of(lock_sha256), length_class(chars)
        if known is None or (length in known.extra and not _grew(extra, known.extra[length])):
            return
        with self._changing(lock_sha256) as written:
            now = written or known
            most = extra.at_least(now.extra.get(length, NOTHING))
            self._write(lock_sha256, replace(now, extra={**now.extra, length: most}))

    @contextlib.contextmanager
    def _changing(self, lock_sha256: str) -> Iterator[Footprint | None]:
        """What is written there now, and nobody else writes for the length of the block."""
        with folder_held(self._folder):
            yield self._read(lock_sha256)

    def _path(self, lock_sha256: str) -> Path:
        return self._folder / f"{lock_sha256}.json"

    def _read(self, lock_sha256: str) -> Footprint | None:
        try:
            said = json.loads(self._path(lock_sha256).read_bytes())
        except FileNotFoundError:
            return None
        extra = {int(length): Amount.from_json(amount) for length, amount in said["extra"].items()}
        return Footprint(Amount.from_json(said["loaded"]), extra)

    def _write(self, lock_sha256: str, footprint: Footprint) -> None:
        path = self._path(lock_sha256)
        said = {
            "loaded": footprint.loaded.to_json(),
            "extra": {str(length): amount.to_json() for length, amount in sorted(footprint.extra.items())},
        }
        fresh = path.with_suffix(f".{os.getpid()}")
        fresh.write_text(json.dumps(said, indent=1))
        fresh.rename(path)
        self._known[lock_sha256] = footprint


def _grew(now: Amount, before: Amount) -> bool:
    more = now.beyond(before)
    return more.rss_mb > _NOTEWORTHY_MB or more.vram_mb > _NOTEWORTHY_MB
