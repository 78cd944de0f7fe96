"""Checks whether locked commits still exist at their source, and whether branches have moved. Changes nothing.

Owns the questions to the hubs. A source that does not answer says nothing about a pin.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum

from services.pins.locking.agreement import disagreements, wanted_source
from services.pins.parallel import done_in_parallel
from services.pins.sources.base import Gone, ModelSource, SourceAccess, SourceFailed
from services.pins.sources.table import open_sources
from shared.weights.catalog_file import Entry
from shared.weights.lock import PinLock, Source

THREADS = 8


class WatchState(StrEnum):
    """What was found for a locked commit."""

    STANDS = "stands"  # it exists, and the branch is at it
    MOVED = "moved"  # it exists, and the branch is at another commit
    GONE = "gone"  # it does not exist any more: keep what is in the store
    UNKNOWN = "unknown"  # no source answered


@dataclass(frozen=True, slots=True)
class Seen:
    """The state of a locked hub source. ``now``: the commit of the catalog's ``branch``, if it is known."""

    role: str
    source: Source
    state: WatchState
    branch: str | None = None
    now: str | None = None
    why: str = ""


@dataclass(frozen=True, slots=True)
class Watched:
    """The state of a locked pin. ``disagreements``: where the catalog differs; `None` if the catalog does not name the
    pin."""

    lock: PinLock
    seen: Sequence[Seen]
    disagreements: Sequence[str] | None


def watch(entries: Mapping[str, Entry], locks: Sequence[PinLock], access: SourceAccess) -> Iterator[Watched]:
    """Yield one result per lock. Every question is asked once, several at a time."""
    questions = dict.fromkeys(question for lock in locks for _, *asked in _asked(entries, lock) for question in asked)

    def ask(source: Source) -> _Answer:
        return _ask(open_sources(source, access))

    answers = dict(done_in_parallel(ask, [question for question in questions if question is not None], THREADS))
    for lock in locks:
        entry = entries.get(lock.name)
        seen = [_seen(role, pinned, branch, answers) for role, pinned, branch in _asked(entries, lock)]
        yield Watched(lock, seen, disagreements(entry, lock) if entry else None)


@dataclass(frozen=True, slots=True)
class _Answer:
    commit: str | None
    gone: bool = False
    why: str = ""


def _asked(entries: Mapping[str, Entry], lock: PinLock) -> Iterator[tuple[str, Source, Source | None]]:
    """Yield role, locked source, and the same source at the catalog's revision, for every source that has commits."""
    entry = entries.get(lock.name)
    for component in lock.components:
        for source in component.sources:
            if source.hub is not None:
                wanted = wanted_source(entry, component.role, source) if entry else None
                yield component.role, source, wanted and replace(source, revision=wanted.revision)


def _ask(sources: Sequence[ModelSource]) -> _Answer:
    """Ask the endpoints in order. The first that has the commit decides, because a mirror may lag."""
    failures = []
    gone = False
    for source in sources:
        try:
            return _Answer(source.resolve())
        except SourceFailed as error:
            gone = gone or isinstance(error, Gone)
            failures.append(str(error))
    return _Answer(None, gone, "; ".join(failures))


def _seen(role: str, pinned: Source, branch: Source | None, answers: Mapping[Source, _Answer]) -> Seen:
    commit, name = answers[pinned], branch.revision if branch else None
    if commit.commit is None:
        return Seen(role, pinned, WatchState.GONE if commit.gone else WatchState.UNKNOWN, name, why=commit.why)
    now = answers[branch] if branch else commit
    if now.commit is None:
        return Seen(role, pinned, WatchState.STANDS, name, why=now.why)
    return Seen(
        role, pinned, WatchState.STANDS if now.commit == pinned.revision else WatchState.MOVED, name, now.commit
    )
