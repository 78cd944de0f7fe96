"""Aliases, mirrored into a model registry for those who look there. SQL is where they are moved.

Owns when something is mirrored: when it changed, by one scorer at a time, and again later if the registry is away.
Nothing waits for it, and nothing fails because of it. Knows the registry as a port.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import NamedTuple, Protocol

from services.scorer.runs import TrackerRefused, TrackerUnavailable
from services.scorer.tracking_flow import MAX_BACKOFF_S, backoff_s
from shared.aliases import Alias
from shared.errors import StoreUnavailable
from shared.ports import AliasStore, JobStore

_HOLD = "alias-mirror"
_HOLD_S = 120.0

log = logging.getLogger(__name__)


class Registry(Protocol):
    """Where aliases are mirrored to."""

    def takes(self, alias: Alias) -> bool:
        """Whether an alias of that name can be there at all."""

    def point(self, alias: Alias, pin: str, lock_sha256: str) -> None:
        """Make the alias mean this pin; may be repeated. Raises `TrackerUnavailable` or `TrackerRefused`."""


class Meaning(NamedTuple):
    """What an alias means, to the byte."""

    pin: str
    lock_sha256: str


@dataclass
class AliasMirror:
    """``turn`` is to be called now and then, from one thread at a time."""

    aliases: AliasStore
    store: JobStore
    registry: Registry
    holder: str
    clock: Callable[[], float] = time.time
    _mirrored: dict[Alias, Meaning] = field(default_factory=dict)
    _not_before: dict[Alias, float] = field(default_factory=dict)
    """Of those that the registry refused."""
    _reserved: set[Alias] = field(default_factory=set)
    _away_until: float = 0.0
    _failures: int = 0

    def turn(self) -> None:
        """Mirror what has changed. Raises nothing."""
        if self.clock() < self._away_until:
            return
        try:
            if self._changed():
                self._mirror()
            self._failures = 0
        except (TrackerUnavailable, StoreUnavailable) as error:
            self._failures += 1
            self._away_until = self.clock() + backoff_s(self._failures)
            log.warning("aliases are mirrored later: %s", error)
        except Exception:  # the one seam: speech, scores and runs do not depend on a mirror
            self._away_until = self.clock() + MAX_BACKOFF_S
            log.exception("aliases could not be mirrored")

    def _mirror(self) -> None:
        """One scorer at a time: two would make two versions of one pin."""
        now = self.clock()
        if not self.store.hold(_HOLD, self.holder, now + _HOLD_S, now):
            return
        try:
            for alias, meaning in self._changed().items():
                self._point(alias, meaning)
        finally:
            self.store.hold(_HOLD, self.holder, self.clock(), self.clock())

    def _changed(self) -> dict[Alias, Meaning]:
        """What is to be mirrored now. A pin that nobody published yet has no lock, and waits."""
        moves = self.aliases.last_moves()
        if not moves:
            return {}
        locks = {manifest.pin: manifest.lock_sha256 for manifest, _ in self.store.manifests()}
        meant = {move.alias: Meaning(move.pin, locks[move.pin]) for move in moves if move.pin in locks}
        return {alias: meaning for alias, meaning in meant.items() if self._is_due(alias, meaning)}

    def _is_due(self, alias: Alias, meaning: Meaning) -> bool:
        if self.registry.takes(alias):
            return self._mirrored.get(alias) != meaning and self._not_before.get(alias, 0.0) <= self.clock()
        if alias not in self._reserved:
            self._reserved.add(alias)
            log.warning("%s is not mirrored: MLflow keeps the name %s for itself", alias, alias.word)
        return False

    def _point(self, alias: Alias, meaning: Meaning) -> None:
        try:
            self.registry.point(alias, meaning.pin, meaning.lock_sha256)
        except TrackerRefused as error:
            self._not_before[alias] = self.clock() + MAX_BACKOFF_S
            log.error("%s is not mirrored: %s", alias, error)
        else:
            self._mirrored[alias] = meaning
            log.info("%s is mirrored: %s", alias, meaning.pin)
