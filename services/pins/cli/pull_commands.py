"""``ringtrue models pull``. Owns the command line, the order of the sources, and the summary at the end."""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import click
from rich.filesize import decimal

from services.pins.cli.exits import PinsExitCode, leave
from services.pins.cli.place import Place, refuse_untrusted, trusting, with_place
from services.pins.cli.progress import shown
from services.pins.cli.starter_choice import keep_starter, known_locks, requested, tell_next, tell_starter
from services.pins.pulling.download import Brought
from services.pins.pulling.pull import Pulled, Unpulled, pull
from services.pins.pulling.space import NotEnoughSpace
from services.pins.sources.base import ModelSource, SourceAccess
from services.pins.sources.table import from_argument, open_sources, read_access
from shared.weights.lock import Component
from shared.weights.trust import trust

_WHYS = 4
"""Files of a pin whose failure is told, of many that fail in the same way."""
_YES = {"1", "on", "yes", "true"}


@click.command("pull")
@click.argument("pins", nargs=-1, metavar="[PIN]...")
@click.option(
    "--from",
    "first",
    multiple=True,
    metavar="ENDPOINT|DIR|URL",
    help="Ask here first: a hub's endpoint, a folder, a URL with the files below it, node=URL of another Ringtrue."
    " May be repeated.",
)
@click.option("--json", "as_lines", is_flag=True, help="Print one JSON object per pin and line.")
@trusting
@with_place
def pull_command(
    place: Place, pins: tuple[str, ...], first: tuple[str, ...], as_lines: bool, trusts: tuple[str, ...]
) -> None:
    """Fetch the files that PINs (default: all that are locked) lack, check them, and lay out their folders.

    Continues an interrupted pull. Files that other versions also have are not fetched again. Sources are tried in
    order, those of --from before those of the lock. Whichever source delivers them, the bytes must be the locked ones.

    The word starter stands for a small set of voices and metrics that comes with Ringtrue, locked, and needs no
    catalog; its pins are added to yours. If a pin of yours is named starter, the word means that pin.
    """
    os.environ["HF_HUB_DISABLE_XET"] = "1"  # Xet transfers bypass mirrors; the client reads this when it is imported
    offline = place.environ.get("HF_HUB_OFFLINE", "").lower() in _YES
    where = _Where(first, read_access(place.environ, place.store.archives), offline)
    asked = requested(place, pins)
    refuse_untrusted(place, asked.locks, trusts)
    trust(place.lock_file, [lock for lock in asked.locks if lock.name in trusts])
    if asked.starter:
        tell_starter(place, asked.starter)
    try:
        with shown() as progress:
            if offline:
                progress.says("HF_HUB_OFFLINE is set: Hugging Face is not used as a source")
            outcomes = pull(place.store, asked.locks, where.sources_of, progress, known=known_locks(place))
    except NotEnoughSpace as error:
        leave(PinsExitCode.CANNOT_WRITE, str(error))
    except KeyboardInterrupt as error:
        click.echo("What was received is kept; the next pull continues from there.", err=True)
        raise click.Abort from error
    if asked.starter:
        keep_starter(place, asked.starter, outcomes)
    _tell(outcomes, as_lines)
    if asked.starter:
        tell_next()


def _tell(outcomes: Sequence[Pulled | Unpulled], as_lines: bool) -> None:
    """Print each outcome. Ends the command if a pin was not pulled."""
    for outcome in outcomes:
        if isinstance(outcome, Unpulled):
            more = len(outcome.why) - _WHYS
            whys = [*outcome.why[:_WHYS], *([f"and {more} more files, see --json"] if more > 0 else [])]
            click.echo("\n".join(f"{outcome.lock.name}: {why}" for why in whys), err=True)
        if as_lines:
            click.echo(json.dumps(_document(outcome), ensure_ascii=False))
        elif isinstance(outcome, Pulled):
            click.echo(_told(outcome))
    if missed := [outcome.lock.name for outcome in outcomes if isinstance(outcome, Unpulled)]:
        leave(PinsExitCode.FAILED, f"not pulled: {', '.join(missed)}; what was received is kept")


@dataclass(frozen=True, slots=True)
class _Where:
    """The sources of a component, those of the command line first."""

    first: Sequence[str]
    access: SourceAccess
    offline: bool

    def sources_of(self, component: Component) -> list[ModelSource]:
        told = [source for text in self.first for source in from_argument(text, component, self.access)]
        locked = [s for s in component.sources if not (self.offline and s.hub == "huggingface")]
        return [*told, *(opened for source in locked for opened in open_sources(source, self.access))]


def _told(pulled: Pulled) -> str:
    lock, parts = pulled.lock, []
    if pulled.fetched:
        source_name = ", ".join(_by_source(pulled))
        came = f"{decimal(pulled.received)} in {pulled.seconds:.1f} s"
        parts.append(f"{len(pulled.fetched)} fetched ({came}) from {source_name}")
    if pulled.there:
        there = f"{len(pulled.there)} already here ({decimal(pulled.saved)})"
        if pulled.shared:
            size = decimal(sum(file.size for file in pulled.shared))
            there += f", {len(pulled.shared)} of them ({size}) shared with {', '.join(pulled.shared_with)}"
        parts.append(there)
    return f"{lock.name}: {pulled.verified.files} files, {decimal(lock.size)}, verified: {'; '.join(parts)}"


def _by_source(pulled: Pulled) -> dict[str, dict[str, int]]:
    """Return the number of files and bytes of each source."""
    sources: dict[str, dict[str, int]] = {}
    for brought in pulled.fetched:
        account = sources.setdefault(str(brought.source_name), {"files": 0, "bytes": 0})
        account["files"] += 1
        account["bytes"] += brought.received
    return sources


def _document(outcome: Pulled | Unpulled) -> dict[str, Any]:
    document: dict[str, Any] = {"pin": outcome.lock.name, "lock_sha256": outcome.lock.sha256}
    if isinstance(outcome, Unpulled):
        return {**document, "state": "not_pulled", "errors": list(outcome.why)}
    return {
        **document,
        "state": "verified",
        "folder": str(outcome.verified.folder),
        "files": outcome.verified.files,
        "bytes": outcome.lock.size,
        "fetched": [_fetched(brought) for brought in outcome.fetched],
        "fetched_bytes": outcome.received,
        "saved_files": len(outcome.there),
        "saved_bytes": outcome.saved,
        "shared_files": len(outcome.shared),
        "shared_bytes": sum(file.size for file in outcome.shared),
        "shared_with": list(outcome.shared_with),
        "sources": _by_source(outcome),
        "seconds": round(outcome.seconds, 3),
    }


def _fetched(brought: Brought) -> dict[str, Any]:
    file = brought.file
    return {"path": file.path, "sha256": file.sha256, "bytes": brought.received, "from": brought.source_name}
