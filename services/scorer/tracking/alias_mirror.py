"""Mirrors aliases into a model registry for people who look there. Aliases are moved in SQL only.

Owns when an alias is mirrored: when it changed, and from time to time even if not; by one scorer at a time; and again
later if the registry is not available. Nothing waits for it, and nothing fails because of it. Knows the registry as a
port.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import NamedTuple, Protocol

from services.scorer.backoff import MAX_BACKOFF_S, backoff_s
from services.scorer.tracking.runs import TrackerRefused, TrackerUnavailable
from shared.aliases import Alias, AliasStore
from shared.errors import StoreUnavailable
from shared.ports import JobStore

_HOLD = "alias-mirror"
_HOLD_S = 120.0
MIRRORED_AGAIN_S = 600.0
"""Seconds. Somebody may have deleted the model or the alias there, or the registry may have been made anew."""

log = logging.getLogger(__name__)


class Registry(Protocol):
    """The registry that aliases are mirrored to."""

    def takes(self, alias: Alias) -> bool:
        """Return whether the registry allows an alias of that name."""

    def point(self, alias: Alias, pin: str, lock_sha256: str) -> None:
        """Make the alias mean this pin. May be repeated. Raises `TrackerUnavailable` or `TrackerRefused`."""


class MirroredMeaning(NamedTuple):
    """What an alias means: a pin, and the bytes that its lock names."""

    pin: str
    lock_sha256: str


@dataclass
class AliasMirror:
    """Mirrors aliases. Call ``turn`` from time to time, from one thread at a time."""

    aliases: AliasStore
    store: JobStore
    registry: Registry
    holder: str
    clock: Callable[[], float] = time.time
    _mirrored: dict[Alias, MirroredMeaning] = field(default_factory=dict)
    _again_at: dict[Alias, float] = field(default_factory=dict)
    """For aliases that are mirrored."""
    _not_before: dict[Alias, float] = field(default_factory=dict)
    """For aliases that the registry refused."""
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
            level = error.level if isinstance(error, TrackerUnavailable) else logging.WARNING
            log.log(level, "copying aliases to MLflow is postponed: %s", error)
        except Exception:  # the one catch-all: speech, scores and runs do not depend on a mirror
            self._away_until = self.clock() + MAX_BACKOFF_S
            log.exception("aliases could not be copied to MLflow")

    def _mirror(self) -> None:
        """Mirror under a lease, so that one scorer does it at a time: two would make two versions of one pin."""
        now = self.clock()
        if not self.store.hold(_HOLD, self.holder, now + _HOLD_S, now):
            return
        try:
            for alias, meaning in self._changed().items():
                self._point(alias, meaning)
        finally:
            # A lease that ends now: the next scorer need not wait for it to run out.
            self.store.hold(_HOLD, self.holder, self.clock(), self.clock())

    def _changed(self) -> dict[Alias, MirroredMeaning]:
        """Return what must be mirrored now. A pin that nobody has published yet has no lock, and waits."""
        moves = self.aliases.last_moves()
        if not moves:
            return {}
        locks = {manifest.pin: manifest.lock_sha256 for manifest, _ in self.store.manifests()}
        meant = {move.alias: MirroredMeaning(move.pin, locks[move.pin]) for move in moves if move.pin in locks}
        return {alias: meaning for alias, meaning in meant.items() if self._is_due(alias, meaning)}

    def _is_due(self, alias: Alias, meaning: MirroredMeaning) -> bool:
        if self.registry.takes(alias):
            now = self.clock()
            changed = self._mirrored.get(alias) != meaning or self._again_at.get(alias, 0.0) <= now
            return changed and self._not_before.get(alias, 0.0) <= now
        if alias not in self._reserved:
            self._reserved.add(alias)
            log.warning("alias %s is not copied to MLflow, which reserves the name %s", alias, alias.word)
        return False

    def _point(self, alias: Alias, meaning: MirroredMeaning) -> None:
        try:
            self.registry.point(alias, meaning.pin, meaning.lock_sha256)
        except TrackerRefused as error:
            self._not_before[alias] = self.clock() + MAX_BACKOFF_S
            log.error("alias %s was not copied to MLflow: %s", alias, error)
        else:
            if self._mirrored.get(alias) != meaning:
                log.info("alias %s was copied to MLflow: %s", alias, meaning.pin)
            self._mirrored[alias] = meaning
            self._again_at[alias] = self.clock() + MIRRORED_AGAIN_S
