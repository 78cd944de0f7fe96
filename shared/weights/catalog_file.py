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
    sources = [{hub = "huggingface", repo = "facebook/mms-tts-eng", revision = "main"}]   # tried in this order;
                                          # or url, folder, pypi = "name==1.0.0" or npm = "name@1.0.0" with path
    files = ["*.json", "*.safetensors"]   # patterns (fnmatch) at the source; default: all
    folder = ""                           # where they go in the snapshot; default: its root
    rename = {"a/b.bin" = "c.bin"}        # single files, path at the source -> path in `folder`
    join = {"c.bin" = "part_?/c.bin"}     # path in `folder` -> pattern of its parts at the source
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated

from shared.values.text import no_utf8
from shared.weights.checking import EXACT, MemberRule, checked, every_pin
from shared.weights.errors import CatalogInvalid
from shared.weights.lock import OUTSIDE, SCHEMA, Flag, Options, PinName, SnapshotPath, Source, safe_path

_TRUSTED = "trust_remote_code"
_OF_A_COMMIT = MemberRule(Source.is_pinned, f"{_TRUSTED} runs the repository's code: {{}} must name a commit", _TRUSTED)


@dataclass(frozen=True, slots=True)
class Wanted:
    """A component as the catalog describes it."""

    role: str
    sources: Annotated[tuple[Annotated[Source, _OF_A_COMMIT], ...], MemberRule(bool, "there is no source")]
    files: Annotated[tuple[str, ...], MemberRule(bool, "there is no pattern")] = ("*",)
    folder: Annotated[str, MemberRule(lambda folder: not folder or safe_path(folder), OUTSIDE)] = ""
    rename: Mapping[SnapshotPath, SnapshotPath] = field(default_factory=dict)
    join: Mapping[SnapshotPath, str] = field(default_factory=dict)
    """Files that the source has in parts. A part is not a file of its own."""


@dataclass(frozen=True, slots=True)
class Entry:
    """A pin as the catalog describes it."""

    __pydantic_config__ = EXACT

    name: PinName
    engine: str
    components: Annotated[tuple[Wanted, ...], MemberRule(bool, "there is no component")]
    version: str = ""
    description: str = ""
    licence: str = ""
    options: Options = field(default_factory=dict)
    trust_remote_code: Flag = False


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
        raise CatalogInvalid(f"{path}: pins must be a table of pins")
    wrong = [f"{path}: unknown member {member}" for member in sorted(set(data) - {"schema", "pins"})]
    return every_pin(path, pins, _entry, wrong)


def _entry(name: str, said: object) -> Entry:
    if not isinstance(said, dict):
        return checked(Entry, said)
    if "name" in said:
        raise CatalogInvalid("unknown member name: a pin has that of its table")
    return checked(Entry, {**said, "name": name}, _TRUSTED if said.get(_TRUSTED) is True else None)
