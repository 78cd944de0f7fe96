"""Whether catalog and lock agree on a pin. Compares what is written in both, without a network and without the
files."""

from __future__ import annotations

from collections.abc import Iterator

from services.pins.locking.selection import is_wanted, place_of
from shared.weights.catalog_file import Entry, Wanted
from shared.weights.lock import COMMIT, Component, PinLock, Source

_MEMBERS = ("engine", "version", "licence", "trust_remote_code")


def disagreements(entry: Entry, lock: PinLock) -> list[str]:
    """Return what the catalog says that the lock does not, in words. A source that did not answer may be missing in a
    lock."""
    said = [
        f"{name} is {getattr(entry, name)!r} in the catalog and {getattr(lock, name)!r} in the lock"
        for name in _MEMBERS
        if getattr(entry, name) != getattr(lock, name)
    ]
    if dict(entry.options) != dict(lock.options):
        said.append("options differ")
    wanted = {part.role: part for part in entry.components}
    locked = {part.role: part for part in lock.components}
    said += [f"component {role} is not locked" for role in wanted if role not in locked]
    said += [f"component {role} is no longer in the catalog" for role in locked if role not in wanted]
    for role in wanted.keys() & locked.keys():
        said += _of_component(wanted[role], locked[role])
    return said


def wanted_source(entry: Entry, role: str, source: Source) -> Source | None:
    """Return the catalog's source that a locked hub source comes from, or `None`."""
    for part in entry.components:
        for candidate in part.sources:
            if part.role == role and (candidate.hub, candidate.repo) == (source.hub, source.repo):
                return candidate
    return None


def _of_component(wanted: Wanted, locked: Component) -> Iterator[str]:
    named = {_identity(source): source for source in wanted.sources}
    for source in locked.sources:
        catalog = named.get(_identity(source))
        if catalog is None:
            yield f"component {locked.role}: {source} is no longer in the catalog"
        elif COMMIT.fullmatch(catalog.revision or "") and catalog.revision != source.revision:
            yield f"component {locked.role}: the catalog says {catalog}, the lock says {source.revision}"
    for file in locked.files:
        if not is_wanted(wanted, file.at_source):
            yield f"component {locked.role}: {file.at_source} is locked, but not wanted by the catalog"
        elif place_of(wanted, file.at_source) != file.path:
            yield f"component {locked.role}: {file.at_source} is locked as {file.path}"


def _identity(source: Source) -> tuple[str | None, ...]:
    return source.hub, source.repo, source.url, source.folder, source.pypi, source.npm, source.path
