"""Entries as text, and how they are put into a ``catalog.toml`` that people have written.

Owns the editing. Everything else in the file stays as it is, comments too; otherwise the file is not changed.
"""

from __future__ import annotations

import json
import os
import re
import tomllib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import MISSING, fields
from pathlib import Path

from shared.files.whole_file import write_whole
from shared.weights.catalog_file import Entry, Wanted, read_catalog
from shared.weights.errors import CatalogInvalid
from shared.weights.lock import SCHEMA

_BARE = re.compile(r"[A-Za-z0-9_-]+")
_HEADER = re.compile(r"\s*\[")


def put_entries(path: Path, entries: Iterable[Entry]) -> None:
    """Write entries into the catalog, replacing those of the same names. Readers see the old file or the new one.

    Raises `CatalogInvalid` if the file is written in a way that cannot be edited by lines; then nothing has changed.
    """
    new = {entry.name: entry for entry in entries}
    before = read_catalog(path)
    text = path.read_text(encoding="utf-8-sig") if path.exists() else f"schema = {SCHEMA}\n"
    lines = text.splitlines(keepends=True)
    for name in new.keys() & before.keys():
        lines = list(_without(lines, name))
    part = path.with_name(f".{path.name}.{os.getpid()}")
    part.parent.mkdir(parents=True, exist_ok=True)
    write_whole(part, "\n".join(["".join(lines).rstrip() + "\n", *map(entry_text, new.values())]), durable=True)
    try:
        if read_catalog(part) != {**before, **new}:
            raise CatalogInvalid("the edit would change other pins")
        part.replace(path)
    except CatalogInvalid as error:
        by_hand = "\n".join(map(entry_text, new.values()))
        raise CatalogInvalid(f"{path} cannot be edited ({error}); add this yourself:\n{by_hand}") from error
    finally:
        part.unlink(missing_ok=True)


def catalog_text(entries: Iterable[Entry]) -> str:
    """Return a whole file."""
    return "\n".join([f"schema = {SCHEMA}\n", *map(entry_text, entries)])


def entry_text(entry: Entry) -> str:
    """Return the tables of one pin, without members that have their default."""
    lines = [f"[pins.{_key(entry.name)}]", *_members(entry)]
    for part in entry.components:
        lines += ["", f"[[pins.{_key(entry.name)}.components]]", *_members(part)]
    return "\n".join(lines) + "\n"


def _members(told: Entry | Wanted) -> Iterator[str]:
    for field in fields(told):
        value = getattr(told, field.name)
        default = field.default_factory() if field.default_factory is not MISSING else field.default
        if field.name in ("name", "components") or value == default:
            continue
        if field.name == "sources":
            value = [source.to_json() for source in value]
        yield f"{field.name} = {_value(value)}"


def _value(value: object) -> str:
    """Return a value as TOML in one line. Numbers, true, false and text are written as in JSON."""
    if isinstance(value, Mapping):
        return "{" + ", ".join(f"{_key(name)} = {_value(member)}" for name, member in value.items()) + "}"
    if isinstance(value, list | tuple):
        return "[" + ", ".join(map(_value, value)) + "]"
    if value is None:
        raise CatalogInvalid("null cannot be written as TOML")
    return json.dumps(value, ensure_ascii=False, allow_nan=False).replace("\x7f", "\\u007f")


def _key(name: str) -> str:
    return name if _BARE.fullmatch(name) else _value(name)


def _without(lines: list[str], name: str) -> Iterator[str]:
    """Yield the lines without the tables of one pin. Comments right before the next table belong to that table."""
    ours, kept = False, list[str]()
    for line in lines:
        if _HEADER.match(line):
            ours = _names(line, name)
        elif ours and (not line.strip() or line.lstrip().startswith("#")):
            kept.append(line)
            continue
        if not ours:
            yield from kept
            yield line
        kept.clear()
    yield from kept


def _names(header: str, name: str) -> bool:
    """Return whether a line is the header of a table of the pin."""
    try:
        table = tomllib.loads(header).get("pins", {})
    except tomllib.TOMLDecodeError:
        return False
    return isinstance(table, dict) and name in table
