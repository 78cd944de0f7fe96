"""Packages of PyPI and npm by name and exact version, as catalog and lock name them.

Owns their form. A package is named on the command lines of pip and npm, so only this form gets there: no option, URL,
range, extra or marker.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

_NUMBER = r"(?:0|[1-9][0-9]*)"
_PYPI = re.compile(
    r"(?P<name>[A-Za-z0-9](?:[A-Za-z0-9._-]*[A-Za-z0-9])?)=="
    r"(?P<version>(?:[0-9]+!)?[0-9]+(?:\.[0-9]+)*(?:(?:a|b|rc)[0-9]+)?(?:\.post[0-9]+)?(?:\.dev[0-9]+)?"
    r"(?:\+[a-z0-9]+(?:\.[a-z0-9]+)*)?)"
)
_NPM = re.compile(
    r"(?P<name>(?:@[A-Za-z0-9~][A-Za-z0-9._~-]*/)?[A-Za-z0-9~][A-Za-z0-9._~-]*)@"
    rf"(?P<version>{_NUMBER}\.{_NUMBER}\.{_NUMBER}(?:-[0-9A-Za-z.-]+)?(?:\+[0-9A-Za-z.-]+)?)"
)
_FORMS: Mapping[str, re.Pattern[str]] = {"pypi": _PYPI, "npm": _NPM}
_EXAMPLES: Mapping[str, str] = {"pypi": "name==1.0.0", "npm": "name@1.0.0"}
REGISTRIES = tuple(_FORMS)


@dataclass(frozen=True, slots=True)
class Package:
    """One version of one package. ``registry``: ``pypi`` or ``npm``."""

    registry: str
    name: str
    version: str

    @property
    def spec(self) -> str:
        """The package as pip or npm reads it."""
        return f"{self.name}{'==' if self.registry == 'pypi' else '@'}{self.version}"

    def __str__(self) -> str:
        return f"{self.registry} {self.spec}"


def packages_in(registry: str, text: str) -> tuple[Package, ...]:
    """Return the packages of a text that names one or more, separated by single spaces.

    Raises `ValueError` if a part is not a name with an exact version, or a package is named twice.
    """
    found = []
    for spec in text.split(" "):
        match = _FORMS[registry].fullmatch(spec)
        if match is None:
            raise ValueError(f"{registry}: {spec!r} is no package with an exact version, such as {_EXAMPLES[registry]}")
        found.append(Package(registry, match["name"], match["version"]))
    if len({package.name for package in found}) != len(found):
        raise ValueError(f"{registry}: {text!r} names a package twice")
    return tuple(found)
