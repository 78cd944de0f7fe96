"""What changes from one pin to another: files by name and by bytes, and everything else in their locks."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from shared.weights.lock import LockedFile, PinLock


@dataclass(frozen=True, slots=True)
class LockDifference:
    """The difference from one lock to another. Files are those of the pin that has them; for changed ones, both."""

    added: Sequence[LockedFile]
    removed: Sequence[LockedFile]
    changed: Sequence[tuple[LockedFile, LockedFile]]
    same: Sequence[LockedFile]
    to_fetch: int
    """Bytes of the second pin that a machine with the first one lacks. A file that was only moved does not count."""
    said: Mapping[str, tuple[Any, Any]]
    """What else differs: engine, licence, an option, the commit of a component."""


def difference(before: PinLock, after: PinLock) -> LockDifference:
    """Return the difference from ``before`` to ``after``."""
    old, new = ({file.path: file for file in lock.files} for lock in (before, after))
    both = [(old[path], new[path]) for path in sorted(set(old) & set(new))]
    had = {file.sha256 for file in before.files}
    lacking = {file.sha256: file.size for file in after.files if file.sha256 not in had}
    return LockDifference(
        added=[new[path] for path in sorted(set(new) - set(old))],
        removed=[old[path] for path in sorted(set(old) - set(new))],
        changed=[(one, other) for one, other in both if one.sha256 != other.sha256],
        same=[other for one, other in both if one.sha256 == other.sha256],
        to_fetch=sum(lacking.values()),
        said=_differing(_sayings(before), _sayings(after)),
    )


def _sayings(lock: PinLock) -> dict[str, Any]:
    """Return everything in a lock except its files, flat."""
    plain = {
        "engine": lock.engine,
        "version": lock.version,
        "licence": lock.licence,
        "trust_remote_code": lock.trust_remote_code,
    }
    options = {f"options.{name}": value for name, value in lock.options.items()}
    sources: dict[str, Any] = {}
    for component in lock.components:
        sources.setdefault(f"sources of {component.role}", []).extend(str(source) for source in component.sources)
    return {**plain, **options, **sources}


def _differing(old: Mapping[str, Any], new: Mapping[str, Any]) -> dict[str, tuple[Any, Any]]:
    names = [*old, *(name for name in new if name not in old)]
    return {name: (old.get(name), new.get(name)) for name in names if old.get(name) != new.get(name)}
