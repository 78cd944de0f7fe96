"""The packages of an engine family in its own Python: ``requirements.txt`` beside the family's module.

Owns the file's format. pip can read it as it is; comments at its head tell the installer more:

    # python: 3.10
    # index: https://…            (and extra-index, find-links: more than one line of each)
    # set: NAME=VALUE             (the lines below may say ${NAME}; --set may give another value)
    # build-config: FILE          (beside this one; setuptools reads it when it builds what has no wheel)

Knows no family and installs nothing.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from importlib.machinery import PathFinder
from importlib.util import find_spec
from itertools import takewhile
from pathlib import Path

from services.worker.engines.families import Installed
from shared.errors import RingtrueError
from shared.values.text import no_utf8

NAME = "requirements.txt"
_SAID = re.compile(r"#\s+(python|index|extra-index|find-links|set|build-config):\s*(\S.*)")
_PINNED = re.compile(r"([A-Za-z0-9][\w.-]*)\s*(?:\[[^]]*])?\s*(?:==\s*([^\s;#]+)|@)\s*")
_VARIABLE = re.compile(r"\$\{(\w+)}")


class RequirementsInvalid(RingtrueError):
    """The file says something that cannot be used, or it has no variable for a given value."""


@dataclass(frozen=True, slots=True)
class Sources:
    """Where packages come from, in addition to the installer's own settings or instead of them."""

    index: str | None = None
    extra_indexes: Sequence[str] = ()
    find_links: Sequence[str] = ()

    def overruled_by(self, given: Sources) -> Sources:
        """Return the sources with each kind replaced by that of ``given``, if it names any."""
        return Sources(
            given.index or self.index,
            given.extra_indexes or self.extra_indexes,
            given.find_links or self.find_links,
        )


@dataclass(frozen=True, slots=True)
class Requirements:
    """One such file, parsed."""

    file: Path
    text: str
    python: tuple[int, int] | None = None
    """The version that the pins were resolved for. ``None``: the worker's."""
    sources: Sources = Sources()
    variables: Mapping[str, str] = field(default_factory=dict)
    build_config: Path | None = None

    def pins(self) -> Mapping[str, str]:
        """Return the default version by canonical name. Empty for a package given by URL. Leaves out packages that only
        some systems need."""
        matches = (_PINNED.match(line) for line in self.filled({}).splitlines() if ";" not in line)
        return {canonical(match[1]): match[2] or "" for match in matches if match}

    def filled(self, given: Mapping[str, str]) -> str:
        """Return the text with every ``${NAME}`` replaced by ``given`` or its default. Raises `RequirementsInvalid`."""
        if unknown := sorted(set(given) - set(self.variables)):
            there = ", ".join(sorted(self.variables)) or "nothing"
            raise RequirementsInvalid(f"{self.file}: unknown setting {', '.join(unknown)}; known: {there}")
        values = {**self.variables, **given}
        if undefined := sorted(set(_VARIABLE.findall(self.text)) - set(values)):
            raise RequirementsInvalid(f"{self.file} has no default for {', '.join(undefined)}")
        return _VARIABLE.sub(lambda match: values[match[1]], self.text)


def requirements_of(family: Installed) -> Requirements | None:
    """Return the requirements of a family, found without importing it, or ``None``. Raises `RequirementsInvalid`."""
    folder = _folder(family.reference.partition(":")[0])
    file = folder / NAME if folder else None
    return read(file) if file and file.is_file() else None


def read(file: Path) -> Requirements:
    """Parse ``file``. Raises `RequirementsInvalid`."""
    try:
        text = file.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError as error:
        raise RequirementsInvalid(f"{file}: {no_utf8(error)}") from error
    head = takewhile(lambda line: line.startswith("#"), text.splitlines())
    said: dict[str, list[str]] = {}
    for match in filter(None, map(_SAID.fullmatch, map(str.rstrip, head))):
        said.setdefault(match[1], []).append(match[2])
    sources = Sources(_one(file, said, "index"), said.get("extra-index", ()), said.get("find-links", ()))
    variables = dict(_halves(file, setting) for setting in said.get("set", ()))
    built = _one(file, said, "build-config")
    config = file.parent / built if built else None
    requirements = Requirements(file, text, _version(file, _one(file, said, "python")), sources, variables, config)
    requirements.filled({})
    return requirements


def canonical(name: str) -> str:
    """Return the canonical spelling of a distribution's name."""
    return re.sub(r"[-_.]+", "-", name).lower()


def _folder(module: str) -> Path | None:
    """Return the folder of the package that ``module`` is in. It is found part by part, because `find_spec` would
    import the parents."""
    packages = module.split(".")[:-1] or [module]
    spec = find_spec(packages[0])
    for number in range(2, len(packages) + 1):
        path = spec.submodule_search_locations if spec else None
        spec = PathFinder.find_spec(".".join(packages[:number]), path) if path else None
    return Path(spec.origin).parent if spec and spec.origin else None


def _one(file: Path, said: Mapping[str, Sequence[str]], word: str) -> str | None:
    values = said.get(word, ())
    if len(values) > 1:
        raise RequirementsInvalid(f"{file} sets {word} more than once")
    return values[0] if values else None


def _version(file: Path, said: str | None) -> tuple[int, int] | None:
    if said is None:
        return None
    if (match := re.fullmatch(r"3\.(\d+)", said)) is None:
        raise RequirementsInvalid(f"{file}: {said!r} is not a version of Python such as 3.10")
    return 3, int(match[1])


def _halves(file: Path, setting: str) -> tuple[str, str]:
    name, equals, value = setting.partition("=")
    if not equals or not re.fullmatch(r"\w+", name):
        raise RequirementsInvalid(f"{file}: {setting!r} is not NAME=VALUE")
    return name, value
