"""Which packages this Python has, and what is wrong with them, found without importing any: that takes seconds.

Owns their names and the commit that the engine is written for. Two of the three names also belong to placeholders at
the package index, a greeting each, which an installer takes where it is not told better.
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
"""In ``kantts``; its setup.py by itself leaves out both: a folder without __init__.py, and what is not Python."""


def fault() -> str | None:
    """Why the packages cannot be used by this Python."""
    for name in ("modelscope", "kantts", "ttsfrd"):
        if find_spec(name) is None:
            return unusable(f"No module named '{name}'")
    for name in _INSTEAD:
        if getattr(installed(name), "version", None) == _PLACEHOLDER:
            return unusable(placeholder(name))
    return _fault_of_kantts()


def version() -> str:
    """Of the packages, as far as they say."""
    commit = commit_of(installed("kantts"))
    said = {name: getattr(installed(name), "version", "unknown") for name in ("modelscope", "kantts", "ttsfrd")}
    said["kantts"] += f"@{commit[:12]}" if commit else ""
    return ", ".join(f"{name} {number}" for name, number in said.items())


def placeholder(name: str) -> str:
    """What is wrong with a package that only has the name."""
    return f"what is installed as {name} is a placeholder of that name: remove it and install {_INSTEAD[name]}"


def unusable(why: str) -> str:
    """``why``, and what to do about it."""
    return (
        f"Sambert-HifiGAN cannot be used by {sys.executable} ({why}): give the engine an interpreter of its own, "
        "Python 3.10 with the packages of services/worker/engines/sambert/requirements.txt"
    )


def _fault_of_kantts() -> str | None:
    folders = [Path(path) for path in getattr(find_spec("kantts"), "submodule_search_locations", None) or ()]
    if not any((folder / "models").is_dir() for folder in folders):
        return unusable(placeholder("kantts"))
    if missing := [part for part in (_VOCODER, _PHONES) if not any((folder / part).is_file() for folder in folders)]:
        return unusable(f"kantts was installed without {missing[0]}: it has to be built with kantts.ini")
    commit = commit_of(installed("kantts"))
    if commit not in (None, COMMIT):
        return unusable(f"kantts is installed from commit {commit}, and this engine is written for {COMMIT}")
    return None
