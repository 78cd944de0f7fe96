"""``ringtrue suites``: list the suites that ship, show the items of a suite, check a suite file.

Owns the command lines, their output and their exit codes. Needs neither gateway nor store, and reads no environment.
"""

from __future__ import annotations

import json
import os
import sys
import unicodedata
from collections.abc import Sequence
from pathlib import Path
from typing import NoReturn

import click

from shared.suites.errors import SuiteInvalid, SuiteUnknown
from shared.suites.reading import NOTATIONS, golden_names, golden_suite, read_suite
from shared.suites.suite import Item, Suite

_INVALID = 65
_NOT_FOUND = 66
_SHORT = 12
_TEXT_SHOWN = 60


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
def suites() -> None:
    """Suites (golden sets): what is spoken to judge a pin. A suite ships with Ringtrue or is a file of yours."""


@suites.command("list")
@click.option("--json", "as_lines", is_flag=True, help="Print one JSON object per line.")
def list_command(as_lines: bool) -> None:
    """Show the suites that ship."""
    found = [golden_suite(name) for name in golden_names()]
    if as_lines:
        for suite in found:
            counted = {**suite.to_json(), "languages": suite.languages, "items": len(suite.items)}
            click.echo(json.dumps(counted, ensure_ascii=False))
        return
    _table([("NAME", "VERSION", "ITEMS", "LANGUAGES", "SHA256", "TITLE"), *map(_row, found)])


@suites.command("show")
@click.argument("suite", metavar="NAME|FILE")
@click.option("--json", "as_document", is_flag=True, help="Print one JSON document with the full texts.")
def show_command(suite: str, as_document: bool) -> None:
    """Show the items of a suite that ships, or of a file.

    Exit codes: 65 the file is no suite, 66 there is no such suite or file.
    """
    try:
        found = read_suite(Path(suite)) if _is_file(suite) else golden_suite(suite)
    except SuiteInvalid as error:
        _leave(_INVALID, str(error))
    except (SuiteUnknown, OSError) as error:
        _leave(_NOT_FOUND, str(error))
    if as_document:
        click.echo(json.dumps(found.to_json(), ensure_ascii=False, indent=2))
        return
    click.echo(f"{found.name} {found.version}: {found.title}\n{found.licence}, sha256 {found.sha256}\n")
    _table([("ID", "LANGUAGE", "EMOTION", "VOICE", "TAGS", "TEXT"), *map(_item_row, found.items)])


@suites.command("check")
@click.argument("files", metavar="FILE...", nargs=-1, required=True, type=click.Path(path_type=Path))
def check_command(files: Sequence[Path]) -> None:
    """Say everything that is wrong with FILEs, each fault with its line.

    Exit codes: 65 a file is no suite, 66 a file cannot be read.
    """
    code = 0
    for file in files:
        try:
            suite = read_suite(file)
        except SuiteInvalid as error:
            click.echo(str(error))
            code = _INVALID
        except OSError as error:
            click.echo(f"{file}: {error.strerror}", err=True)
            code = code or _NOT_FOUND
        else:
            click.echo(f"{file}: {suite.name} {suite.version}, {_count(suite)}, sha256 {suite.sha256}")
    sys.exit(code)


def _is_file(told: str) -> bool:
    return os.sep in told or Path(told).suffix.lower() in NOTATIONS


def _count(suite: Suite) -> str:
    return f"{len(suite.items)} {'item' if len(suite.items) == 1 else 'items'}"


def _row(suite: Suite) -> tuple[str, ...]:
    languages = ", ".join(suite.languages)
    return suite.name, suite.version, str(len(suite.items)), languages, suite.sha256[:_SHORT], suite.title


def _item_row(item: Item) -> tuple[str, ...]:
    strength = "" if item.strength is None else f" {item.strength:g}"
    text = " ".join(item.text.split())
    return (
        item.id,
        item.language,
        f"{item.emotion}{strength}" if item.emotion else "-",
        item.voice or item.reference or "-",
        ", ".join(item.tags) or "-",
        text if len(text) <= _TEXT_SHOWN else f"{text[:_TEXT_SHOWN]}… ({len(item.text)} characters)",
    )


def _table(rows: Sequence[Sequence[str]]) -> None:
    widths = [max(map(_cells, column)) for column in zip(*rows, strict=True)]
    for row in rows:
        padded = (cell + " " * (width - _cells(cell)) for cell, width in zip(row, widths, strict=True))
        click.echo("  ".join(padded).rstrip())


def _cells(text: str) -> int:
    """Return the width of the text in terminal cells."""
    return sum(2 if unicodedata.east_asian_width(character) in "WF" else 1 for character in text)


def _leave(code: int, why: str) -> NoReturn:
    click.echo(why, err=True)
    sys.exit(code)
