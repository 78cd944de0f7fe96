"""Watch: does what is locked still stand where it came from, and has it moved on? Tells; moves nothing.

Owns the questions. A source that does not answer says nothing of a pin.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum

from services.pins.agreement import disagreements, wanted_source
from services.pins.crew import done_by_crew
from services.pins.sources.base import Access, Gone, ModelSource, SourceFailed
from services.pins.sources.table import open_sources
from shared.weights.catalog_file import Entry
from shared.weights.lock import PinLock, Source

THREADS = 8


class State(StrEnum):
    """What was seen of a locked commit."""

    STANDS = "stands"  # it exists, and the branch is at it
    MOVED = "moved"  # it exists, the branch is at another
    GONE = "gone"  # it does not exist any more: keep what is in the store
    UNKNOWN = "unknown"  # nobody answered


@dataclass(frozen=True, slots=True)
class Seen:
    """A locked hub source, asked. ``now``: the commit that the catalog's ``branch`` is at, where that was said."""

    role: str
    source: Source
    state: State
    branch: str | None = None
    now: str | None = None
    why: str = ""


@dataclass(frozen=True, slots=True)
class Watched:
    """A locked pin. ``disagreements``: what the catalog says otherwise; `None`: the catalog does not name it."""

    lock: PinLock
    seen: Sequence[Seen]
    disagreements: Sequence[str] | None


def watch(entries: Mapping[str, Entry], locks: Sequence[PinLock], access: Access) -> Iterator[Watched]:
    """One answer per lock; every question is asked once, several at a time."""
    questions = dict.fromkeys(question for lock in locks for _, *asked in _asked(entries, lock) for question in asked)

    def ask(source: Source) -> _Answer:
        return _ask(open_sources(source, access))

    answers = dict(done_by_crew(ask, [question for question in questions if question is not None], THREADS))
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
    """Role, locked source, and the same at the catalog's revision, for every source that has commits."""
    entry = entries.get(lock.name)
    for component in lock.components:
        for source in component.sources:
            if source.hub is not None:
                wanted = wanted_source(entry, component.role, source) if entry else None
                yield component.role, source, wanted and replace(source, revision=wanted.revision)


def _ask(sources: Sequence[ModelSource]) -> _Answer:
    """Of several endpoints the first that has it decides; a mirror may lag."""
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
        return Seen(role, pinned, State.GONE if commit.gone else State.UNKNOWN, name, why=commit.why)
    now = answers[branch] if branch else commit
    if now.commit is None:
        return Seen(role, pinned, State.STANDS, name, why=now.why)
    return Seen(role, pinned, State.STANDS if now.commit == pinned.revision else State.MOVED, name, now.commit)
