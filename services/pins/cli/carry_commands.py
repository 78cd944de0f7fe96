"""``ringtrue models export`` and ``import``: pins in one file, for sites without a network."""

from __future__ import annotations

from pathlib import Path

import click
from rich.filesize import decimal

from services.pins.archives.archive import ArchiveRefused, Contents, reading
from services.pins.archives.carrying import export_pins, import_pins
from services.pins.cli.exits import PinsExitCode, leave
from services.pins.cli.place import Place, refuse_untrusted, trusting, with_place
from services.pins.cli.reading import progress_of
from services.pins.locking.lock_book import LockBook
from shared.weights.trust import trust

_PACKED = (".gz", ".tgz", ".bz2", ".tbz2", ".xz", ".txz", ".zst", ".zip", ".7z", ".rar", ".json", ".toml", ".lock")
"""File name endings that do not fit an archive, which is an uncompressed tar: weights hardly shrink."""


@click.command("export")
@click.argument("file", type=click.Path(dir_okay=False, path_type=Path))
@click.argument("pins", nargs=-1, metavar="[PIN]...")
@with_place
def export_command(place: Place, file: Path, pins: tuple[str, ...]) -> None:
    """Write FILE (.tar) with everything that PINs (default: all that are locked) need: entries, locks and files, each
    file once. Everything is checked first."""
    if (ending := "".join(file.suffixes[-2:]).lower()).endswith(_PACKED):
        leave(
            PinsExitCode.USAGE,
            f"{file.name}: the archive is written as tar, not as {ending[1:]}; use a name that ends in .tar",
        )
    locks, entries = place.locked_or_all(pins), place.entries()
    known = {lock.name: entries[lock.name] for lock in locks if lock.name in entries}
    contents = Contents({lock.name: lock for lock in locks}, known)
    with progress_of("writing", sum(each.size for each in contents.files.values())) as on_bytes:
        export_pins(place.store, contents, file, on_bytes)
    click.echo(f"{file}: {', '.join(contents.locks)}; {len(contents.files)} files, {decimal(file.stat().st_size)}")


@click.command("import")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--replace", is_flag=True, help="Also replace pins that are different here by those of the archive.")
@trusting
@with_place
def import_command(place: Place, file: Path, replace: bool, trusts: tuple[str, ...]) -> None:
    """Import the pins of FILE, which `ringtrue models export` wrote. Needs no network.

    Every byte is checked. A file that is damaged, or differs from its own manifest, leaves nothing behind. A pin that
    runs code of its repository is imported only if --trust-remote-code names it.
    """
    try:
        with reading(file) as archive, progress_of("reading", _size(archive.contents)) as on_bytes:
            refuse_untrusted(place, archive.contents.locks.values(), trusts)
            book = LockBook(place.lock_file)
            taken = import_pins(place.store, place.catalog_file, book, archive, replace=replace, on_bytes=on_bytes)
    except ArchiveRefused as error:
        leave(PinsExitCode.REFUSED, f"{file} was not imported: {error}")
    trust(place.lock_file, [lock for lock in taken.locks if lock.name in trusts])
    came = sum(each.size for each in taken.came)
    click.echo(f"{', '.join(lock.name for lock in taken.locks)}: {len(taken.came)} files received, {decimal(came)}")


def _size(contents: Contents) -> int:
    return sum(file.size for file in contents.files.values())
