"""Small rooms: `make check` fails on a file over 400 lines, a function over 40, or a class name used twice."""

from __future__ import annotations

import ast
import subprocess
import sys
from collections import defaultdict
from collections.abc import Iterator, Sequence
from pathlib import Path

FILE_LINES = 400
FUNCTION_LINES = 40
GENERATED = "shared/store/migrations/versions/"
PRODUCT = ("services/", "shared/", "client/")
BOTH_SIDES = {
    "Consent",
    "FieldError",
    "InvalidRequest",
    "Job",
    "JobError",
    "Piece",
    "RingtrueError",
    "Score",
    "Unscored",
    "Voice",
}
"""What the Python client calls as the service does. The client imports nothing of the service."""


def tracked() -> list[Path]:
    """Python files of the project, those not yet added included."""
    command = ["git", "ls-files", "--cached", "--others", "--exclude-standard", "*.py"]
    listed = subprocess.run(command, check=True, capture_output=True, text=True).stdout.split()
    return [Path(name) for name in listed if not name.startswith(GENERATED) and Path(name).exists()]


def too_large(path: Path) -> Iterator[str]:
    text = path.read_text()
    lines = text.count("\n")
    if lines > FILE_LINES:
        yield f"{path}: {lines} lines"
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            length = (node.end_lineno or node.lineno) - node.lineno + 1
            if length > FUNCTION_LINES:
                yield f"{path}:{node.lineno} {node.name}: {length} lines"


def named_twice(paths: Sequence[Path]) -> Iterator[str]:
    homes: defaultdict[str, set[Path]] = defaultdict(set)
    for path in paths:
        if str(path).startswith(PRODUCT):
            for node in ast.walk(ast.parse(path.read_text())):
                if isinstance(node, ast.ClassDef):
                    homes[node.name].add(path)
    for name, places in sorted(homes.items()):
        if len(places) > 1 + (name in BOTH_SIDES):
            yield f"class {name} is in {' and '.join(map(str, sorted(places)))}"


def main() -> int:
    paths = tracked()
    found = [*(complaint for path in paths for complaint in too_large(path)), *named_twice(paths)]
    fine = f"rooms: no file over {FILE_LINES} lines, no function over {FUNCTION_LINES}, no class name twice"
    print("\n".join(found) or fine)
    return bool(found)


if __name__ == "__main__":
    sys.exit(main())
