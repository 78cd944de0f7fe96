"""What a benchmark says while it measures: lines on stderr, so that stdout holds the table alone."""

from __future__ import annotations

import sys


def say(line: str) -> None:
    print(line, file=sys.stderr, flush=True)
