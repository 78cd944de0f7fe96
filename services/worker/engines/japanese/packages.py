"""Which packages read Japanese, and whether this Python has them at the versions that the locks name. Imports none."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache

from shared.machine.installed_packages import version_of

READER = "pyopenjtalk-plus"
VERSIONS: Mapping[str, str] = {
    READER: "0.4.1.post10",
    "sudachipy": "0.7.0",
    "sudachidict-core": "20261015",
}
"""They decide how kanji are read. The first needs the two others, which it asks for words with rare kanji."""
MODULES: Mapping[str, str] = {
    "pyopenjtalk": READER,
    "sudachipy": "sudachipy",
    "sudachidict_core": "sudachidict-core",
}


@cache
def fault() -> str | None:
    """Return why kanji cannot be read here, with the package to install, or ``None``."""
    for package, version in VERSIONS.items():
        if (found := version_of(package)) != version:
            return f"kanji need {package}=={version}, and {f'{found} is' if found else 'it is not'} installed"
    return None
