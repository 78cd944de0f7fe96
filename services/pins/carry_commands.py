"""``ringtrue models export`` and ``import``: pins in one file, for sites that no network reaches."""

from __future__ import annotations

from pathlib import Path

import click

from services.pins.archive import ArchiveRefused, Contents, reading
from services.pins.carrying import export_pins, import_pins
from services.pins.exits import ExitCode, leave
from services.pins.lock_book import LockBook
from services.pins.place import Place, with_place
from services.pins.reading import progress_of
from services.pins.sizes import bytes_said


@click.command("export")
@click.argument("file", type=click.Path(dir_okay=False, path_type=Path))
@click.argument("pins", nargs=-1, required=True, metavar="PIN...")
@with_place
def export_command(place: Place, file: Path, pins: tuple[str, ...]) -> None:
    """Write FILE with all that PIN... are: entries, locks and files, each file once. They are checked before."""
    locks, entries = place.locked(pins), place.entries()
    known = {lock.name: entries[lock.name] for lock in locks if lock.name in entries}
    contents = Contents({lock.name: lock for lock in locks}, known)
    with progress_of("writing", sum(each.size for each in contents.files.values())) as on_bytes:
        export_pins(place.store, contents, file, on_bytes)
    click.echo(f"{file}: {', '.join(contents.locks)}; {len(contents.files)} files, {bytes_said(file.stat().st_size)}")


@click.command("import")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--replace", is_flag=True, help="Also pins that are other ones here: the archive's take their place.")
@with_place
def import_command(place: Place, file: Path, replace: bool) -> None:
    """Take in the pins of FILE, which `ringtrue models export` wrote. Needs no network.

    Every byte is checked; a file that is damaged, or has in it what it does not say, leaves nothing behind.
    """
    try:
        with reading(file) as archive, progress_of("reading", _size(archive.contents)) as on_bytes:
            book = LockBook(place.lock_file)
            taken = import_pins(place.store, place.catalog_file, book, archive, replace=replace, on_bytes=on_bytes)
    except ArchiveRefused as error:
        leave(ExitCode.REFUSED, f"{file} is not taken: {error}")
    came = sum(each.size for each in taken.came)
    click.echo(f"{', '.join(lock.name for lock in taken.locks)}: {len(taken.came)} files came, {bytes_said(came)}")


def _size(contents: Contents) -> int:
    return sum(file.size for file in contents.files.values())
