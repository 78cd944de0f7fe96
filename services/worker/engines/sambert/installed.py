"""Which packages this Python has, and what is wrong with them, found without importing any (which takes seconds).

Owns their names and the commit that the engine is written for. Two of the three names also belong to placeholder
packages on the package index, which an installer takes unless it is told another source.
"""

from __future__ import annotations

import sys
from importlib.util import find_spec
from pathlib import Path

from services.worker.engines.distributions import commit_of, installed

CODE = "https://github.com/alibaba-damo-academy/KAN-TTS"
COMMIT = "66202d052189a3dcca5f75c718c47a7a5cc68116"
_PLACEHOLDER = "0.1.0"
_INSTEAD = {
    "kantts": f"{CODE} at {COMMIT}",
    "ttsfrd": "ttsfrd 0.4.2, a wheel for Python 3.10 from where ModelScope publishes it",
}
_VOCODER = Path("models", "hifigan", "hifigan.py")
_PHONES = Path("preprocess", "languages", "PinYin", "PhoneSet.xml")
"""Parts of ``kantts`` that its setup.py leaves out by default: a folder without __init__.py, and a file that is not
Python."""


def fault() -> str | None:
    """Return why this Python cannot use the packages, or `None`."""
    for name in ("modelscope", "kantts", "ttsfrd"):
        if find_spec(name) is None:
            return unusable(f"No module named '{name}'")
    for name in _INSTEAD:
        if getattr(installed(name), "version", None) == _PLACEHOLDER:
            return unusable(placeholder(name))
    return _fault_of_kantts()


def version() -> str:
    """Return the versions of the packages, as far as they are known."""
    commit = commit_of(installed("kantts"))
    said = {name: getattr(installed(name), "version", "unknown") for name in ("modelscope", "kantts", "ttsfrd")}
    said["kantts"] += f"@{commit[:12]}" if commit else ""
    return ", ".join(f"{name} {number}" for name, number in said.items())


def placeholder(name: str) -> str:
    """Return the message for a package that is only a placeholder of that name."""
    return f"the installed package {name} is only a placeholder; remove it and install {_INSTEAD[name]}"


def unusable(why: str) -> str:
    """Return ``why`` and what to do about it."""
    return (
        f"{sys.executable} cannot use Sambert-HifiGAN ({why}); give the engine its own Python 3.10 "
        "with the packages of services/worker/engines/sambert/requirements.txt"
    )


def _fault_of_kantts() -> str | None:
    folders = [Path(path) for path in getattr(find_spec("kantts"), "submodule_search_locations", None) or ()]
    if not any((folder / "models").is_dir() for folder in folders):
        return unusable(placeholder("kantts"))
    if missing := [part for part in (_VOCODER, _PHONES) if not any((folder / part).is_file() for folder in folders)]:
        return unusable(f"kantts was installed without {missing[0]}: it must be built with kantts.ini")
    commit = commit_of(installed("kantts"))
    if commit not in (None, COMMIT):
        return unusable(f"kantts is installed from commit {commit}, but this engine needs {COMMIT}")
    return None
