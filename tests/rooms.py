"""Small rooms: `make check` fails on a file over 400 lines or a function over 40."""

from __future__ import annotations

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

FILE_LINES = 400
FUNCTION_LINES = 40
GENERATED = "shared/store/migrations/versions/"


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


def main() -> int:
    found = [complaint for path in tracked() for complaint in too_large(path)]
    print("\n".join(found) or f"rooms: no file over {FILE_LINES} lines, no function over {FUNCTION_LINES}")
    return bool(found)


if __name__ == "__main__":
    sys.exit(main())
