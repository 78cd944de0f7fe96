"""Checks the Python of each engine family by running `ringtrue engines` in a child."""

from __future__ import annotations

import json
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence

from services.doctor.children import ChildOutput, NoAnswer, TooSlow, ask
from services.doctor.findings import Finding, fail, not_tried, ok, warn
from shared import metric_families
from shared.processes.interpreter import run_module
from shared.values.spelling import did_you_mean

LIMIT_S = 90.0
_PATIENCE_S = 80.0
_LIST = (*run_module("ringtrue"), "engines", "--json")

Ask = Callable[[Sequence[str], float], ChildOutput]


def engines(pins: Mapping[str, str], asked: Ask = ask, *, pythons: Collection[str] = ()) -> Iterator[Finding]:
    """Check the families. ``pins``: the pins of the catalog that are to be served, with the family of each.

    ``pythons``: the families that RINGTRUE_INTERPRETERS names.
    """
    try:
        told = asked(_LIST, _PATIENCE_S)
        families = [json.loads(line) for line in told.output.splitlines()] if told.code == 0 else None
    except TooSlow as error:
        yield not_tried(f"the state of the engines is unknown: {error}", "ringtrue engines")
        return
    except (NoAnswer, ValueError) as error:
        yield warn(f"the state of the engines is unknown: {error}", "ringtrue engines")
        return
    if families is None:
        yield warn(f"the state of the engines is unknown: {told.last_words}", "ringtrue engines")
        return
    bad = [finding for family in families for finding in _family(family, pins)]
    names = [family["family"] for family in families]
    bad += [*_unknown(pins, [*names, *metric_families.families()]), *_unused(pythons, names)]
    yield from bad
    if not bad:
        ready = [family["family"] for family in families if family["state"] == "ready"]
        yield ok(f"a host of each family starts: {', '.join(ready)}" if ready else "no engine family is installed")


def _unknown(pins: Mapping[str, str], known: Sequence[str]) -> Iterator[Finding]:
    """``known``: engine families, and families of metrics, whose weights are pins too."""
    for pin, engine in pins.items():
        if engine not in known:
            yield fail(
                f"{pin} needs the engine {engine}, which is not here{did_you_mean(engine, known)}",
                f"correct it in the catalog and run ringtrue models lock {pin} --update, or install its package",
            )


def _unused(pythons: Collection[str], known: Sequence[str]) -> Iterator[Finding]:
    for engine in pythons:
        if engine not in known:
            yield warn(
                f"RINGTRUE_INTERPRETERS names the engine {engine}, which is not here{did_you_mean(engine, known)}",
                "correct the name in RINGTRUE_INTERPRETERS, or remove it",
            )


def _family(family: Mapping[str, str], pins: Mapping[str, str]) -> Iterator[Finding]:
    name, install = family["family"], f"ringtrue engines install {family['family']}"
    needed = [pin for pin, engine in pins.items() if engine == name]
    if family["state"] == "broken":
        mend = f"repair {family['interpreter']}, or run {install} --force" if family["own"] else "see the check wheels"
        yield fail(f"{name} cannot be served: {family['detail']}", mend)
    elif family["state"] == "not_installed" and needed:
        yield fail(f"{name} is not installed, but {', '.join(needed)} needs it", install)
