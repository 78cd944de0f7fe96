"""Which sources may be asked for a file: those of every component that has it, opened when the first file needs
them."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from services.pins.sources.base import ModelSource
from shared.weights.lock import Component, LockedFile, PinLock

SourcesOf = Callable[[Component], Sequence[ModelSource]]
"""Returns the sources for the files of a component, in the order to try them."""


@dataclass(frozen=True, slots=True)
class FileSource:
    """A source, and the file under its name there."""

    source: ModelSource
    file: LockedFile


class FileSources:
    """The sources for the components of some locks. For several threads."""

    def __init__(self, locks: Iterable[PinLock], sources_of: SourcesOf) -> None:
        self._sources_of = sources_of
        self._having: dict[str, list[tuple[Component, LockedFile]]] = {}
        self._opened: dict[tuple[object, ...], Sequence[ModelSource]] = {}
        self._lock = threading.Lock()
        for component in (component for lock in locks for component in lock.components):
            for file in component.files:
                self._having.setdefault(file.sha256, []).append((component, file))

    def of(self, wanted: LockedFile) -> list[FileSource]:
        """Return the sources in the order to try them. No source is listed twice for the same file."""
        sources: dict[tuple[str, str], FileSource] = {}
        for component, file in self._having[wanted.sha256]:
            for source in self._opened_for(component):
                sources.setdefault((source.name, file.at_source), FileSource(source, file))
        return list(sources.values())

    def _opened_for(self, component: Component) -> Sequence[ModelSource]:
        """Return the sources of a component. Components with the same sources share them and their connections."""
        with self._lock:
            if component.sources not in self._opened:
                self._opened[component.sources] = self._sources_of(component)
            return self._opened[component.sources]
