"""A stack of one-line scripts under the real lifecycle, for the tests: a supervisor that they can kill.

``python fake_stack.py FOLDER [--replace] [--verbose] [--slow] [--hasty] NAME=SCRIPT ...``.

Each child waits for the one before; the others can do without those whose name begins with "extra", and one whose name
ends with "patience" is waited for however late it is. One that ends with "once" does one thing and ends.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

from services.embedded.errors import StackError
from services.embedded.lifecycle import Plan, bring_up
from services.embedded.processes.child import ChildSpec, says
from services.embedded.processes.journal import View
from services.embedded.processes.supervisor import Backoff


def main(folder: str, *arguments: str) -> int:
    flags = {argument for argument in arguments if argument.startswith("--")}
    scripts = dict(argument.split("=", 1) for argument in arguments if argument not in flags)
    specs: list[ChildSpec] = []
    for name, script in scripts.items():
        specs.append(
            ChildSpec(
                name=name,
                argv=[sys.executable, "-u", "-c", script],
                ready=says("ready"),
                after=[specs[-1].name] if specs and specs[-1].vital else [],
                ready_within_s=1 if "--hasty" in flags else 60,
                waited_for=name.endswith("patience"),
                vital=not name.startswith("extra"),
                once=name.endswith("once"),
                grace_s=60 if "--slow" in flags else 1,
            )
        )
    plan = Plan(specs, dict(os.environ), {"api": "http://127.0.0.1:8000"}, "all are ready")
    try:
        bring_up(
            Path(folder),
            lambda: plan,
            View(sys.stderr, verbose="--verbose" in flags),
            replace="--replace" in flags,
            backoff=Backoff(first_s=0.1, longest_s=0.4, good_while_s=60),
        )
    except StackError as error:
        print(error, file=sys.stderr)
        return error.exit_code
    return 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
