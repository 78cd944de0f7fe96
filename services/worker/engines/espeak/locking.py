"""The lock of an espeak pin: the bytes that decide how it sounds.

Owns what belongs in the lock (library, every file of the voice data, preset, the words for signs, the packages that
read kanji, the revision of our own arithmetic), and the check of the installed files against the published package. A
wheel has the hash of every file in its RECORD (Binary distribution format, packaging.python.org).
"""

from __future__ import annotations

import base64
import csv
import hashlib
import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import espeakng_loader  # type: ignore[import-untyped]

from services.worker.engines.base import EngineError
from services.worker.engines.japanese.packages import VERSIONS as READERS_OF_KANJI
from services.worker.engines.signs.names import ARCHIVE as SIGN_NAMES
from shared.errors import FailureCode
from shared.machine.installed_packages import version_of

ESPEAK = "1.52.0"
REVISION = 3
"""Raised when a change of this package alters the sound although no file in the lock has changed."""


@dataclass(frozen=True, slots=True)
class Installation:
    """The package espeakng-loader as it is installed."""

    library: Path
    data: Path
    record: Path
    version: str

    @property
    def root(self) -> Path:
        """The folder that the paths in RECORD are relative to."""
        return self.record.parent.parent


def installation() -> Installation:
    """Return where espeak is installed. Raises `EngineError` ``model_not_pulled`` if it is missing or incomplete."""
    library = Path(espeakng_loader.get_library_path())
    data = library.parent / "espeak-ng-data"
    records = list(library.parent.parent.glob("espeakng_loader-*.dist-info/RECORD"))
    if len(records) != 1 or not library.exists() or not data.is_dir():
        raise EngineError(f"espeakng-loader is incomplete in {library.parent}", FailureCode.MODEL_NOT_PULLED)
    version = records[0].parent.name.removesuffix(".dist-info").rpartition("-")[2]
    return Installation(library, data, records[0], version)


def verified_lock(installed: Installation, preset: Path, package: str) -> dict[str, Any]:
    """Return the lock of a pin whose preset asks for release ``package``. Every file is read and hashed.

    Raises `EngineError` ``model_lock_mismatch`` for another release, or if a file is missing, has other bytes, or was
    not published with the package. The message names it.
    """
    if installed.version != package:
        raise _mismatch(f"the pin needs espeakng-loader {package}, but {installed.version} is installed")
    published = _published(installed.record)
    paths = sorted([str(installed.library), *_files_below(installed.data)])
    root = f"{installed.root}{os.sep}"
    files = [_described(path, path.removeprefix(root).replace(os.sep, "/")) for path in paths]
    for file in files:
        if published.pop(file["path"], None) != file["sha256"]:
            raise _mismatch(f"{file['path']} differs from the published espeakng-loader {package}")
    data = installed.data.relative_to(installed.root).as_posix()
    if missing := [path for path in published if path.startswith(f"{data}/")]:
        raise _mismatch(f"{missing[0]} is missing from espeakng-loader {package}")
    return {
        "engine": "espeak",
        "espeak": ESPEAK,
        "package": f"espeakng-loader=={package}",
        "revision": REVISION,
        "babel": _version_of_babel(),
        "kanji": dict(READERS_OF_KANJI),
        "files": [*files, *(_described(str(file), file.name) for file in (preset, SIGN_NAMES))],
    }


def _version_of_babel() -> str:
    if (version := version_of("babel")) is None:
        raise EngineError("the package babel is incomplete", FailureCode.MODEL_NOT_PULLED)
    return version


def _published(record: Path) -> dict[str, str]:
    """Return path -> sha256 (hex) of every file that has a hash in RECORD."""
    with record.open(newline="", encoding="utf-8") as opened:
        rows = [row for row in csv.reader(opened) if row[1].startswith("sha256=")]
    return {path: _hex(digest.removeprefix("sha256=")) for path, digest, _ in rows}


def _hex(digest: str) -> str:
    return base64.urlsafe_b64decode(digest + "=" * (-len(digest) % 4)).hex()


def _files_below(folder: Path) -> Iterator[str]:
    for root, _, names in os.walk(folder):  # pathlib would take twice as long at every start of a host
        yield from (os.path.join(root, name) for name in names)


def _described(file: str, path: str) -> Mapping[str, Any]:
    with open(file, "rb") as opened:
        content = opened.read()
    return {"path": path, "size": len(content), "sha256": hashlib.sha256(content).hexdigest()}


def _mismatch(message: str) -> EngineError:
    return EngineError(message, FailureCode.MODEL_LOCK_MISMATCH)
