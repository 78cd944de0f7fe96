"""``python -m tests.whole.chaos``: everything goes wrong under load, and then everything must be zero."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from tests.whole.chaos.faults import KINDS
from tests.whole.chaos.running import Options, run


def main() -> int:
    default = Options()
    parser = argparse.ArgumentParser(prog="python -m tests.whole.chaos", description=__doc__)
    parser.add_argument("--jobs", type=int, default=default.jobs)
    parser.add_argument("--seed", type=int, default=default.seed)
    parser.add_argument("--minutes", type=float, default=default.minutes, help="of load and faults")
    parser.add_argument("--quiet-minutes", type=float, default=default.quiet_minutes, help="for what is left then")
    parser.add_argument("--pause", type=float, default=default.pause_s, help="seconds between two faults, on average")
    parser.add_argument("--faults", default=",".join(KINDS), help="of these, with commas (default: all): %(default)s")
    for kind in ("gateways", "workers", "scorers"):
        parser.add_argument(f"--{kind}", type=int, default=getattr(default, kind))
    parser.add_argument("--no-mlflow", action="store_true", help="track nothing")
    parser.add_argument("--folder", type=Path, help="keep files and logs there")
    given = parser.parse_args()
    chosen = [kind for kind in given.faults.split(",") if kind]
    if unknown := sorted(set(chosen) - set(KINDS)):
        parser.error(f"no such faults: {', '.join(unknown)}; there are {', '.join(KINDS)}")
    options = Options(
        given.jobs, given.seed, given.minutes, chosen, given.pause, given.quiet_minutes,
        given.gateways, given.workers, given.scorers, not given.no_mlflow, given.folder,
    )  # fmt: skip
    report = run(options)
    print("\n".join(report.lines()))
    return 0 if report.good else 1


if __name__ == "__main__":
    sys.exit(main())
