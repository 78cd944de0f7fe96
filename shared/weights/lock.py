"""The lock of a pin: which commits, and path, size and SHA-256 of every file.

Owns the shape of ``catalog.lock`` and its hash. Only the bytes matter, so a lock may name several sources for one
component: files from each are checked against the same hashes.

    {"schema": 1, "pins": {"NAME": {
        "schema": 1, "name": "NAME", "version": "v23", "engine": "indextts2", "licence": "...", "options": {},
        "trust_remote_code": false,
        "components": [{"role": "model",
            "sources": [{"hub": "huggingface", "repo": "IndexTeam/IndexTTS-2", "revision": "<40 hex>"},
                        {"url": "https://host/folder"}, {"folder": "/mnt/share"}],
            "files": [{"path": "gpt.pth", "size": 1, "sha256": "...", "source_path": "..."}]}],
        "lock_sha256": "<over canonical JSON without this member>"}}}
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import Any, NoReturn

from shared.catalog import canonical_json, lock_sha256
from shared.files.whole_file import write_whole
from shared.values.text import no_utf8
from shared.weights.errors import CatalogInvalid

SCHEMA = 1
HUBS = ("huggingface", "modelscope")
PIN_NAME = re.compile(r"[a-z0-9][a-z0-9._-]{0,63}")
COMMIT = re.compile(r"[0-9a-f]{40}")
SHA256 = re.compile(r"[0-9a-f]{64}")
EMPTY_SHA256 = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
"""Hash of zero bytes, which a broken download often leaves."""


@dataclass(frozen=True, slots=True)
class Source:
    """Where a component comes from: a hub's repository, a URL below which its files are, or a folder.

    One of the three.
    """

    hub: str | None = None
    """``huggingface`` or ``modelscope``, with ``repo`` and ``revision``."""
    repo: str | None = None
    revision: str | None = None
    """A full commit in a lock; a branch, tag or commit in a catalog."""
    url: str | None = None
    folder: str | None = None

    def to_json(self) -> dict[str, str]:
        named = {"hub": self.hub, "repo": self.repo, "revision": self.revision, "url": self.url, "folder": self.folder}
        return {name: value for name, value in named.items() if value is not None}

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Source:
        """Return the source. Raises `CatalogInvalid` for anything but one of the three forms."""
        match sorted(data):
            case ["hub", "repo", "revision"] if data["hub"] in HUBS and all(isinstance(v, str) for v in data.values()):
                return cls(hub=data["hub"], repo=data["repo"], revision=data["revision"])
            case ["url"] if isinstance(data["url"], str):
                return cls(url=data["url"])
            case ["folder"] if isinstance(data["folder"], str):
                return cls(folder=data["folder"])
        raise CatalogInvalid(f"a source is hub, repo and revision ({' or '.join(HUBS)}), url, or folder; not {data}")

    def __str__(self) -> str:
        return f"{self.hub} {self.repo}@{self.revision}" if self.hub else str(self.url or self.folder)


@dataclass(frozen=True, slots=True)
class LockedFile:
    """One file of a pin. ``path``: relative POSIX path in the snapshot; ``size`` in bytes."""

    path: str
    size: int
    sha256: str
    source_path: str | None = None
    """Its path at the sources, if that is a different one."""

    @property
    def at_source(self) -> str:
        return self.source_path or self.path

    def to_json(self) -> dict[str, Any]:
        data: dict[str, Any] = {"path": self.path, "size": self.size, "sha256": self.sha256}
        return data if self.source_path is None else {**data, "source_path": self.source_path}


@dataclass(frozen=True, slots=True)
class Component:
    """Files that come from the same sources: the model itself, or an auxiliary one. ``role`` is the engine's word."""

    role: str
    sources: tuple[Source, ...]
    files: tuple[LockedFile, ...]

    def to_json(self) -> dict[str, Any]:
        return {
            "role": self.role,
            "sources": [source.to_json() for source in self.sources],
            "files": [file.to_json() for file in self.files],
        }


@dataclass(frozen=True, slots=True)
class PinLock:
    """Exactly what a pin is, to the byte."""

    name: str
    engine: str
    components: tuple[Component, ...]
    version: str = ""
    """The team's own name for the version."""
    licence: str = ""
    options: Mapping[str, Any] = field(default_factory=dict)
    """Options for the engine when it loads the model."""
    trust_remote_code: bool = False

    @property
    def files(self) -> Iterator[LockedFile]:
        """Files of all components."""
        return (file for component in self.components for file in component.files)

    @property
    def hashes(self) -> dict[str, str]:
        """Path -> SHA-256."""
        return {file.path: file.sha256 for file in self.files}

    @property
    def size(self) -> int:
        """Total size in bytes."""
        return sum(file.size for file in self.files)

    @property
    def sha256(self) -> str:
        """The hash of the lock, which every clip names as the identity of its pin."""
        return lock_sha256(self._members())

    def to_json(self) -> dict[str, Any]:
        return {**self._members(), "lock_sha256": self.sha256}

    def _members(self) -> dict[str, Any]:
        return {
            "schema": SCHEMA,
            "name": self.name,
            "version": self.version,
            "engine": self.engine,
            "licence": self.licence,
            "options": dict(self.options),
            "trust_remote_code": self.trust_remote_code,
            "components": [component.to_json() for component in self.components],
        }

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> PinLock:
        """Return the lock.

        Raises `CatalogInvalid` if something is missing or unsafe, or if the hash does not match the rest.
        """
        try:
            if data["schema"] != SCHEMA:
                raise CatalogInvalid(f"schema {data['schema']!r} is not {SCHEMA}")
            lock = cls(
                name=str(data["name"]),
                engine=str(data["engine"]),
                components=tuple(_component(part) for part in data["components"]),
                version=str(data["version"]),
                licence=str(data["licence"]),
                options=dict(data["options"]),
                trust_remote_code=bool(data["trust_remote_code"]),
            )
            if canonical_json(lock.to_json()) != canonical_json(data):
                raise CatalogInvalid("lock_sha256 is not that of the lock, or there are members that nobody reads")
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            raise CatalogInvalid(f"{type(error).__name__}: {error}") from error
        _check_paths(lock)
        return lock


def read_locks(path: Path) -> dict[str, PinLock]:
    """Return every lock of a ``catalog.lock`` by pin; none if there is no such file.

    Raises `CatalogInvalid` with one line for each pin whose lock cannot be used; then no lock is returned.
    """
    try:
        data = json.loads(path.read_bytes(), object_pairs_hook=_named_once, parse_constant=_no_number)
    except FileNotFoundError:
        return {}
    except UnicodeDecodeError as error:
        raise CatalogInvalid(f"{path} cannot be read: {no_utf8(error)}") from error
    except (OSError, ValueError) as error:
        raise CatalogInvalid(f"{path} cannot be read: {error}") from error
    if not isinstance(data, dict) or data.get("schema") != SCHEMA or not isinstance(data.get("pins"), dict):
        raise CatalogInvalid(f"{path} is no catalog.lock of schema {SCHEMA}")
    locks, wrong = {}, []
    for name, members in data["pins"].items():
        try:
            locks[name] = PinLock.from_json(members)
            if locks[name].name != name:
                raise CatalogInvalid(f"its lock is that of {locks[name].name}")
        except CatalogInvalid as error:
            wrong.append(f"{path}, pin {name}: {error}")
    if wrong:
        raise CatalogInvalid("\n".join(wrong))
    return locks


def write_locks(path: Path, locks: Mapping[str, PinLock]) -> None:
    """Replace ``catalog.lock`` in one step: a reader sees the old or the new one."""
    pins = {name: locks[name].to_json() for name in sorted(locks)}
    text = json.dumps({"schema": SCHEMA, "pins": pins}, indent=2, ensure_ascii=False)
    write_whole(path, text + "\n", durable=True)


def safe_path(path: str) -> bool:
    """Return whether a path stays below the folder that it is relative to, on every system."""
    parts = PurePosixPath(path).parts
    return (
        bool(parts)
        and path == "/".join(parts)
        and not {"..", "."} & set(parts)
        and not re.search(r"[\\:\x00-\x1f]", path)
        and parts[0] != "/"
    )


def _named_once(members: list[tuple[str, Any]]) -> dict[str, Any]:
    """Return a JSON object. Raises `ValueError` for a repeated member, which different readers read differently."""
    found = dict(members)
    if len(found) != len(members):
        raise ValueError("a member is there twice in one object")
    return found


def _no_number(constant: str) -> NoReturn:
    raise ValueError(f"{constant} is no JSON")


def _component(data: Mapping[str, Any]) -> Component:
    sources = tuple(Source.from_json(source) for source in data["sources"])
    for source in sources:
        if source.hub and not COMMIT.fullmatch(source.revision or ""):
            raise CatalogInvalid(f"{source} is not pinned to a commit of 40 hexadecimal digits")
    files = tuple(LockedFile(f["path"], f["size"], f["sha256"], f.get("source_path")) for f in data["files"])
    for file in files:
        if not SHA256.fullmatch(file.sha256) or type(file.size) is not int or file.size < 0:
            raise CatalogInvalid(f"{file.path}: size and sha256 are {file.size!r} and {file.sha256!r}")
        if not safe_path(file.path) or not safe_path(file.at_source):
            raise CatalogInvalid(f"{file.path!r} is no path inside a snapshot")
    return Component(str(data["role"]), sources, files)


def _check_paths(lock: PinLock) -> None:
    if not PIN_NAME.fullmatch(lock.name):
        raise CatalogInvalid(f"{lock.name!r} is no name of a pin")
    if not any(lock.files):
        raise CatalogInvalid("it has no file")
    seen: set[str] = set()
    for file in lock.files:
        if file.path in seen:
            raise CatalogInvalid(f"{file.path} is there twice")
        seen.add(file.path)
    for path in seen:
        if any(str(parent) in seen for parent in PurePosixPath(path).parents):
            raise CatalogInvalid(f"{path} lies below a file")
