"""Reads what the installed Ringtrue declares as its dependencies from its metadata. Imports none of them.

No file says which extras were asked for. An extra counts as installed if most of the distributions it names are
present, or if another installed extra includes it.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field

_LINE = re.compile(
    r"(?P<name>[\w.-]+)(?:\[(?P<extras>[^]]*)])?\s*(?:==(?P<version>[^;\s]+))?.*?extra == [\"'](?P<of>[\w-]+)"
)

Installed = Callable[[str], str | None]
"""Returns the version of a distribution by its name, or ``None`` if it is not installed."""


@dataclass(frozen=True, slots=True)
class Requirement:
    """A distribution at its pin, and the extras that name it."""

    name: str
    version: str
    extras: tuple[str, ...]


@dataclass(slots=True)
class _Extra:
    pins: dict[str, str] = field(default_factory=dict)
    brings: set[str] = field(default_factory=set)


def installed_requirements(lines: Iterable[str], installed: Installed) -> list[Requirement]:
    """Return each distribution that an installed extra names, in the order of the metadata."""
    extras = _read(lines)
    present = _with_what_they_bring({name for name, extra in extras.items() if _mostly_there(extra, installed)}, extras)
    pins: dict[str, tuple[str, list[str]]] = {}
    for name, extra in extras.items():
        for distribution, version in extra.pins.items() if name in present else ():
            pins.setdefault(distribution, (version, []))[1].append(name)
    return [Requirement(distribution, version, tuple(of)) for distribution, (version, of) in pins.items()]


def canonical(name: str) -> str:
    """Return the normalised spelling of a distribution's name."""
    return re.sub(r"[-_.]+", "-", name).lower()


def _read(lines: Iterable[str]) -> Mapping[str, _Extra]:
    extras: dict[str, _Extra] = {}
    for line in lines:
        if found := _LINE.match(line):
            extra = extras.setdefault(found["of"], _Extra())
            if canonical(found["name"]) == "ringtrue":
                extra.brings |= {brought.strip() for brought in found["extras"].split(",")}
            else:
                extra.pins[canonical(found["name"])] = found["version"] or ""
    return extras


def _mostly_there(extra: _Extra, installed: Installed) -> bool:
    there = [name for name in extra.pins if installed(name) is not None]
    return len(there) * 2 > len(extra.pins)


def _with_what_they_bring(names: set[str], extras: Mapping[str, _Extra]) -> set[str]:
    more = {brought for name in names if name in extras for brought in extras[name].brings} - names
    return _with_what_they_bring(names | more, extras) if more else names
