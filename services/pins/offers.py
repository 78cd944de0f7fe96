"""Who may be asked for a file: the sources of every component that has it, opened when the first file needs them."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from services.pins.sources.base import ModelSource
from shared.weights.lock import Component, LockedFile, PinLock

SourcesOf = Callable[[Component], Sequence[ModelSource]]
"""Where the files of a component can be had, in the order to try it."""


@dataclass(frozen=True, slots=True)
class Offer:
    """A source, and the file as it is called there."""

    source: ModelSource
    file: LockedFile


class Offers:
    """Of the components of some locks. Asked from several threads."""

    def __init__(self, locks: Iterable[PinLock], sources_of: SourcesOf) -> None:
        self._sources_of = sources_of
        self._having: dict[str, list[tuple[Component, LockedFile]]] = {}
        self._opened: dict[tuple[object, ...], Sequence[ModelSource]] = {}
        self._lock = threading.Lock()
        for component in (component for lock in locks for component in lock.components):
            for file in component.files:
                self._having.setdefault(file.sha256, []).append((component, file))

    def of(self, wanted: LockedFile) -> list[Offer]:
        """In the order to try them; nobody is asked twice for the same."""
        offers: dict[tuple[str, str], Offer] = {}
        for component, file in self._having[wanted.sha256]:
            for source in self._opened_for(component):
                offers.setdefault((source.name, file.at_source), Offer(source, file))
        return list(offers.values())

    def _opened_for(self, component: Component) -> Sequence[ModelSource]:
        """Components with the same sources share them, and their connections."""
        with self._lock:
            if component.sources not in self._opened:
                self._opened[component.sources] = self._sources_of(component)
            return self._opened[component.sources]
