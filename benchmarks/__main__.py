"""All benchmarks, one after the other, and one table: ``python -m benchmarks [--only NAME] [--json]``.

Exit code 0 if every target holds, 1 otherwise. Everything runs on loopback and is gone afterwards; with nothing else
to do, a machine of two cores needs about a quarter of an hour.
"""

from __future__ import annotations

import argparse
import json
import signal
import sys
import time
from collections.abc import Sequence
from importlib import import_module
from pkgutil import walk_packages
from types import ModuleType

import benchmarks
from benchmarks.harness.progress import say
from benchmarks.targets import TARGETS, Row, rows

NAMES = tuple(dict.fromkeys(target.benchmark for target in TARGETS))
_HEADINGS = ("what", "baseline", "ours", "ratio", "target", "holds")


def main() -> int:
    """Measure, print the table; gives the exit code."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("--only", action="append", choices=NAMES, help="this one only; may be repeated")
    parser.add_argument("--json", action="store_true", help="the table as JSON, with everything that was measured")
    arguments = parser.parse_args()
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # so that what was started is stopped as well
    figures = {}
    for name in arguments.only or NAMES:
        began = time.monotonic()
        say(f"{name} ...")
        figures[name] = _module_of(name).measure()
        say(f"{name} took {time.monotonic() - began:.0f} s")
    measured = rows(figures)
    if arguments.json:
        print(json.dumps({"rows": [row.to_json() for row in measured], "measured": figures}, indent=2))
    else:
        _print_table(measured)
    return int(any(row.holds is False for row in measured))


def _module_of(benchmark: str) -> ModuleType:
    """Return the module of that name in the folders beside this file."""
    (name,) = (
        one.name for one in walk_packages(benchmarks.__path__, "benchmarks.") if one.name.endswith(f".{benchmark}")
    )
    return import_module(name)


def _print_table(measured: Sequence[Row]) -> None:
    lines = [_HEADINGS, *(_cells(row) for row in measured)]
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    for what, *numbers in lines:
        print("  ".join([what.ljust(widths[0]), *(n.rjust(w) for n, w in zip(numbers, widths[1:], strict=True))]))


def _cells(row: Row) -> tuple[str, ...]:
    def number(value: float | None, digits: int) -> str:
        return "" if value is None else f"{value:,.{digits}f}"

    holds = {True: "yes", False: "NO", None: ""}[row.holds]
    ratio = "" if row.ratio is None else f"{row.ratio:.2f} x"
    return row.what, number(row.baseline, row.digits), number(row.ours, row.digits), ratio, row.target, holds


if __name__ == "__main__":
    sys.exit(main())
