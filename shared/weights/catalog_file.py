"""``catalog.toml``: the pins that a team wants, and the sources of each.

Owns the shape of the file. The lock beside it says exactly what a pin is, to the byte (lock.py).

    schema = 1

    [pins.mms-eng]
    engine = "transformers"
    version = "v1"                        # the team's own word
    description = "..."
    licence = "CC-BY-NC-4.0"
    options = {}                          # for the engine
    trust_remote_code = false             # true only with sources pinned to a commit

    [[pins.mms-eng.components]]
    role = "model"
    sources = [{hub = "huggingface", repo = "facebook/mms-tts-eng", revision = "main"}]   # tried in this order
    files = ["*.json", "*.safetensors"]   # patterns (fnmatch) at the source; default: all
    folder = ""                           # where they go in the snapshot; default: its root
    rename = {"a/b.bin" = "c.bin"}        # single files, path at the source -> path in `folder`
"""

from __future__ import annotations

import json
import tomllib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from shared.values.text import no_utf8
from shared.weights.errors import CatalogInvalid
from shared.weights.lock import COMMIT, PIN_NAME, SCHEMA, Source, safe_path


@dataclass(frozen=True, slots=True)
class Wanted:
    """A component as the catalog describes it."""

    role: str
    sources: tuple[Source, ...]
    files: tuple[str, ...] = ("*",)
    folder: str = ""
    rename: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Entry:
    """A pin as the catalog describes it."""

    name: str
    engine: str
    components: tuple[Wanted, ...]
    version: str = ""
    description: str = ""
    licence: str = ""
    options: Mapping[str, Any] = field(default_factory=dict)
    trust_remote_code: bool = False


def read_catalog(path: Path) -> dict[str, Entry]:
    """Return every entry by pin; none if there is no such file.

    Raises `CatalogInvalid` with one line for each fault.
    """
    try:
        text = path.read_text(encoding="utf-8-sig")
    except FileNotFoundError:
        return {}
    except UnicodeDecodeError as error:
        raise CatalogInvalid(f"{path} cannot be read: {no_utf8(error)}") from error
    except (OSError, ValueError) as error:
        raise CatalogInvalid(f"{path} cannot be read: {error}") from error
    return parse_catalog(text, str(path))


def parse_catalog(text: str, path: str) -> dict[str, Entry]:
    """Return the entries of a catalog's text. ``path`` is named in errors. Raises `CatalogInvalid`."""
    try:
        data = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise CatalogInvalid(f"{path} cannot be read: {error}") from error
    if data.get("schema") != SCHEMA:
        raise CatalogInvalid(f"{path} says schema {data.get('schema')!r}, not {SCHEMA}")
    pins = data.get("pins", {})
    if not isinstance(pins, dict):
        raise CatalogInvalid(f"{path}: pins is no table of pins")
    wrong = [f"{path}: nobody reads {member}" for member in sorted(set(data) - {"schema", "pins"})]
    wrong += [f"{path}, pin {name}: {what}" for name, members in pins.items() for what in _wrong_with(name, members)]
    if wrong:
        raise CatalogInvalid("\n".join(wrong))
    return {name: _entry(name, members) for name, members in pins.items()}


def _entry(name: str, data: Mapping[str, Any]) -> Entry:
    return Entry(name=name, **{**data, "components": tuple(_wanted(part) for part in data["components"])})


def _wanted(data: Mapping[str, Any]) -> Wanted:
    sources = tuple(Source.from_json(source) for source in data["sources"])
    return Wanted(**{**data, "sources": sources, "files": tuple(data.get("files", ("*",)))})


_ENTRY: Mapping[str, type] = {
    "engine": str,
    "components": list,
    "version": str,
    "description": str,
    "licence": str,
    "options": dict,
    "trust_remote_code": bool,
}
_WANTED: Mapping[str, type] = {"role": str, "sources": list, "files": list, "folder": str, "rename": dict}
_IN_TOML: Mapping[type, str] = {str: "text", list: "an array", dict: "a table", bool: "true or false"}


def _wrong_with(name: str, data: object) -> Iterator[str]:
    """Yield everything that is wrong with a pin."""
    if not PIN_NAME.fullmatch(name):
        yield "a pin's name is lower-case letters, digits, dots, underscores and hyphens, at most 64"
    if not isinstance(data, dict):
        yield "a pin is a table"
        return
    yield from _ill_formed(data, _ENTRY, required=("engine", "components"))
    if isinstance(data.get("options", {}), dict) and not _is_json(data.get("options", {})):
        yield "options: only what JSON has too can be locked; no dates, no nan, no inf"
    components = data.get("components")
    if not isinstance(components, list):
        return
    if not components:
        yield "there is no component"
    commits_only = data.get("trust_remote_code") is True
    for number, part in enumerate(components, 1):
        for what in _wrong_with_component(part, commits_only=commits_only):
            yield f"component {number}: {what}"


def _wrong_with_component(data: object, *, commits_only: bool) -> Iterator[str]:
    if not isinstance(data, dict):
        yield "a component is a table"
        return
    yield from _ill_formed(data, _WANTED, required=("role", "sources"))
    files, folder, rename = data.get("files", ["*"]), data.get("folder", ""), data.get("rename", {})
    if isinstance(files, list) and not (files and all(isinstance(pattern, str) for pattern in files)):
        yield "files is an array of patterns"
    paths = [folder] if isinstance(folder, str) and folder else []
    paths += [path for pair in rename.items() for path in pair] if isinstance(rename, dict) else []
    for path in paths:
        if not isinstance(path, str) or not safe_path(path):
            yield f"{path!r} is no path inside a snapshot"
    sources = data.get("sources")
    if sources == []:
        yield "there is no source"
    for source in sources if isinstance(sources, list) else ():
        try:
            found = Source.from_json(source)
        except (CatalogInvalid, TypeError) as error:
            yield str(error)
        else:
            if commits_only and found.hub and not COMMIT.fullmatch(found.revision or ""):
                yield f"trust_remote_code runs the repository's code: {found} must name a commit"


def _ill_formed(data: Mapping[str, object], known: Mapping[str, type], *, required: Iterable[str]) -> Iterator[str]:
    for name in required:
        if name not in data:
            yield f"{name} is missing"
    for name, value in data.items():
        if name not in known:
            yield f"nobody reads {name}; there are {', '.join(known)}"
        elif type(value) is not known[name]:
            yield f"{name} is {_IN_TOML[known[name]]}, not {value!r}"


def _is_json(value: object) -> bool:
    try:
        json.dumps(value, allow_nan=False).encode()
    except (TypeError, ValueError):
        return False
    return True
