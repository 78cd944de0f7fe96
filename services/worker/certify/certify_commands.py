"""``ringtrue certify``: how reproducible a pin is here, and whether another machine gives the same sound.

A composition root of its own: it reads the environment like `app.py`. Owns the command line, the output and the exit
codes. Needs no running service and nothing that only POSIX has.
"""

from __future__ import annotations

import json
import os
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import click
from click.core import ParameterSource

from services.worker.certify import progress, table
from services.worker.certify.certificate import HERE, Certificate
from services.worker.certify.comparing import NothingInCommon, TakesCompared, compared
from services.worker.certify.conditions import Conditions, Tell
from services.worker.certify.issuing import Occasion, issued
from services.worker.certify.items import NothingToSpeak, Selection, built_in, job_of, selected, used
from services.worker.certify.reading import CertificateInvalid, read_certificate
from services.worker.certify.servers import PinNotThere, Server, ServerFailed, ServerRefuses
from services.worker.installs.interpreters import Interpreters
from services.worker.pins.catalog_pins import CatalogPins
from services.worker.pins.served_pins import ServedPins
from shared.catalog import Manifest
from shared.controls import MAX_SEED
from shared.errors import JobFailure, RingtrueError, SettingsError
from shared.machine import environment
from shared.settings import read_settings
from shared.suites.errors import SuiteInvalid, SuiteUnknown
from shared.suites.reading import NOTATIONS, golden_suite, read_suite
from shared.values.times import rfc3339
from shared.weights.store import WeightStore


class CertificateNotWritten(RingtrueError):
    """The output cannot be written to the given place."""


NOT_MET = 1
_REFUSED, _NOT_FOUND, _UNAVAILABLE, _INTERNAL, _FAILED, _NO_PERMISSION, _CONFIG = 65, 66, 69, 70, 76, 77, 78
_CANNOT_WRITE = 73
_BY_ERROR: tuple[tuple[type[Exception], int], ...] = (
    (CertificateInvalid, _REFUSED),
    (SuiteInvalid, _REFUSED),
    (NothingToSpeak, _REFUSED),
    (NothingInCommon, _REFUSED),
    (SuiteUnknown, _NOT_FOUND),
    (PinNotThere, _NOT_FOUND),
    (CertificateNotWritten, _CANNOT_WRITE),
    (ServerFailed, _UNAVAILABLE),
    (ServerRefuses, _NO_PERMISSION),
    (JobFailure, _FAILED),
    (SettingsError, _CONFIG),
    (RingtrueError, _INTERNAL),
    (OSError, _NOT_FOUND),  # a file that was named to be read
)
_NOBODY_READS = 141
_OTHER_FORMATS = {
    ".md",
    ".html",
    ".htm",
    ".txt",
    ".csv",
    ".xml",
    ".pdf",
    ".yaml",
    ".yml",
    ".toml",
    ".wav",
    ".gz",
    ".zip",
}
"""File name endings that do not fit a certificate, which is JSON."""
_OF_SPEAKING = ("suite", "seed", "repeats", "at_once")


@dataclass(frozen=True, slots=True)
class CertifyOptions:
    """The command line's arguments on how to speak."""

    pin: str
    suite: str | None
    seed: int
    repeats: int
    at_once: int


@click.command(context_settings={"help_option_names": ["-h", "--help"]})
@click.argument("pin", required=False)
@click.option("--suite", metavar="NAME|FILE", help="The suite to speak. Default: five built-in items.")
@click.option("--seed", type=click.IntRange(0, MAX_SEED), default=0, show_default=True, help="Seed of every clip.")
@click.option(
    "--repeats", type=click.IntRange(1), default=3, show_default=True, help="How often each item is spoken warm."
)
@click.option(
    "--at-once",
    type=click.IntRange(1),
    default=2,
    show_default=True,
    help="Number of hosts that speak at the same time under load.",
)
@click.option("-o", "--output", type=click.Path(path_type=Path, dir_okay=False), help="Write the JSON to this file.")
@click.option("--with-audio", is_flag=True, help="Store the samples too, so that comparisons can be more exact.")
@click.option("--compare", nargs=2, type=click.Path(path_type=Path), metavar="A B", help="Compare two certificates.")
@click.option(
    "--against",
    multiple=True,
    metavar="URL",
    help="Compare with this gateway; given twice: compare these two gateways.",
)
@click.option(
    "--require",
    type=click.IntRange(0, 3),
    metavar="TIER",
    help="Exit with 1 unless every item is in this tier or a better one.",
)
@click.option("--json", "as_document", is_flag=True, help="Print the JSON instead of the tables.")
def certify(
    pin: str | None,
    compare: tuple[Path, Path] | None,
    against: Sequence[str],
    output: Path | None,
    with_audio: bool,
    require: int | None,
    as_document: bool,
    **speaking: int | str | None,
) -> None:
    """Speak the same items again and again and say how equal they are, in four tiers: 0 equal PCM, 1 within 2 LSB, 2
    the same sound, 3 different. Prints function, output and speed as Markdown.

    Exit codes: 1 --require is not met; 64 command line, 65 a file or an item is not accepted, 66 no such pin, suite or
    file, 69 a server does not answer, 73 the file cannot be written, 76 the pin does not speak, 77 the server asks for
    another key (RINGTRUE_API_KEY), 78 settings.
    """
    _check(pin, compare, against, with_audio)
    with _errors_told():
        if output is not None:
            _check_writable(output)
        if compare is not None:
            found: Certificate | TakesCompared = compared(*map(read_certificate, compare))
        else:
            found = _spoken(CertifyOptions(pin=str(pin), **speaking), against)  # type: ignore[arg-type]
        names = tuple(map(str, compare)) if compare is not None else None
        _hand_out(found, names, output, with_audio, as_document)
    if require is not None and (found.tier is None or found.tier > require):
        sys.exit(NOT_MET)


def _check(pin: str | None, compare: object, against: Sequence[str], with_audio: bool) -> None:
    source = click.get_current_context().get_parameter_source
    speaking = any(source(name) is ParameterSource.COMMANDLINE for name in _OF_SPEAKING)
    if compare is not None and (pin or against or with_audio or speaking):
        raise click.UsageError(
            "--compare needs two certificates, and cannot be combined with a PIN or speaking options"
        )
    if compare is None and not pin:
        raise click.UsageError("name a PIN, or --compare two certificates")
    if len(against) > 2:
        raise click.UsageError("--against can be given once or twice")
    if against and with_audio:
        raise click.UsageError("--with-audio cannot be used with --against: a comparison contains no audio")


def _check_writable(output: Path) -> None:
    """Raise if ``output`` cannot be written, as far as can be told before anything is spoken."""
    if (ending := output.suffix.lower()) in _OTHER_FORMATS:
        raise click.UsageError(
            f"{output.name}: the file is written as JSON, not as {ending[1:]}; use a name that ends in .json"
        )
    if not output.parent.is_dir():
        raise CertificateNotWritten(f"{output.parent} is not a folder")
    if not os.access(output if output.exists() else output.parent, os.W_OK):
        raise CertificateNotWritten(f"{output} is not writable")


def _hand_out(
    found: Certificate | TakesCompared,
    names: tuple[str, ...] | None,
    output: Path | None,
    with_audio: bool,
    as_document: bool,
) -> None:
    """Write and print the result. ``names``: of the two certificates, if they are files."""
    if isinstance(found, Certificate):
        text, kept = table.of_certificate(found), found if with_audio else found.without_audio()
        document = json.dumps(kept.to_json(), indent=1, ensure_ascii=False)
    else:
        text, document = table.of_comparison(found, names), json.dumps(found.to_json(), indent=1, ensure_ascii=False)
    try:
        if output is not None:
            output.write_text(document + "\n", encoding="utf-8")
    except OSError as error:
        raise CertificateNotWritten(f"{output}: {error.strerror}") from error
    finally:  # the result took minutes, so it is printed even if it cannot be written
        _printed(document if as_document else text)


def _printed(text: str) -> None:
    try:
        click.echo(text)
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # Python flushes once more at exit
        sys.exit(_NOBODY_READS)
    except OSError as error:
        raise CertificateNotWritten(f"standard output: {error.strerror}") from error


def _spoken(options: CertifyOptions, against: Sequence[str]) -> Certificate | TakesCompared:
    with progress.shown() as tell:
        if not against:
            manifest, served_pins = _here(options.pin)
            return _certified_here(options, manifest, served_pins, _selection(options, manifest), tell)
        if len(against) == 1:
            manifest, served_pins = _here(options.pin)
            selection = _selection(options, manifest)
            there = _certified_there(options, against[0], selection, tell)
            return compared(_certified_here(options, manifest, served_pins, selection, tell), there)
        manifests = [_manifest_there(options, url, tell) for url in against]  # both, before either speaks
        selection = _selection(options, manifests[0])
        one, other = (_certified_there(options, url, selection, tell) for url in against)
        return compared(one, other)


def _here(pin: str) -> tuple[Manifest, ServedPins]:
    """Return the pin's manifest and the served pins here. Raises `PinNotThere`, and `JobFailure` if the pin is
    refused."""
    settings = read_settings(os.environ)
    catalog_pins = CatalogPins(WeightStore(settings.models), settings.catalog_lock)
    served_pins = ServedPins(
        [pin], catalog_pins=catalog_pins, interpreters=Interpreters(settings.engines, settings.interpreters)
    )
    try:
        manifest = served_pins.manifest(pin)
    except SettingsError as error:
        raise PinNotThere(str(error)) from error
    if (failure := served_pins.refused().get(pin)) is not None:
        raise failure
    if manifest is None:
        raise PinNotThere(f"the engine of {pin} is not installed here; `ringtrue engines` lists those that are")
    return manifest, served_pins


def _selection(options: CertifyOptions, manifest: Manifest) -> Selection:
    if options.suite is None:
        return built_in(manifest)
    is_file = os.sep in options.suite or Path(options.suite).suffix.lower() in NOTATIONS
    return selected(read_suite(Path(options.suite)) if is_file else golden_suite(options.suite), manifest)


def _certified_here(
    options: CertifyOptions, manifest: Manifest, served_pins: ServedPins, selection: Selection, tell: Tell
) -> Certificate:
    jobs = [job_of(item, manifest, options.seed) for item in selection.items]
    runs = Conditions(served_pins, manifest, options.repeats, options.at_once, tell).run(jobs)
    described = environment.describe()
    occasion = Occasion(_now(), HERE, manifest, described, options.seed)
    return issued(occasion, selection, {job.id: used(job.input) for job in jobs}, runs)


def _certified_there(options: CertifyOptions, url: str, selection: Selection, tell: Tell) -> Certificate:
    with _server(url, tell) as server:
        manifest = server.manifest(options.pin)
        runs, used_there = server.run(options.pin, selection.items, options.seed, options.repeats)
        occasion = Occasion(_now(), server.url, manifest, manifest.environment or {}, options.seed)
        return issued(occasion, selection, used_there, runs)


def _manifest_there(options: CertifyOptions, url: str, tell: Tell) -> Manifest:
    with _server(url, tell) as server:
        return server.manifest(options.pin)


def _server(url: str, tell: Tell) -> Server:
    key = (os.environ.get("RINGTRUE_API_KEY") or "").strip()
    if not key.isascii() or not key.isprintable():
        raise SettingsError("RINGTRUE_API_KEY contains characters that are not allowed in a key")
    return Server(url, key or None, tell)


def _now() -> str:
    return rfc3339(time.time(), "seconds")


@contextmanager
def _errors_told() -> Iterator[None]:
    try:
        yield
    except (RingtrueError, OSError) as error:
        told = f"{error.filename}: {error.strerror}" if isinstance(error, OSError) and error.filename else error
        click.echo(f"error: {told}", err=True)
        sys.exit(next(code for kind, code in _BY_ERROR if isinstance(error, kind)))
