"""`make setup` compiles what starts import and no more, and every part that it imports is there."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
_SCRIPT = ast.parse((ROOT / "requirements" / "compile_starts.py").read_text())
_TABLE = next(node.value for node in ast.walk(_SCRIPT) if isinstance(node, ast.AnnAssign))
assert _TABLE is not None
PARTS: dict[str, str] = ast.literal_eval(_TABLE)


def imported(code: str) -> Iterator[str]:
    """Our modules, and the packages of others."""
    for node in ast.walk(ast.parse(code)):
        names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
        names += [node.module or ""] if isinstance(node, ast.ImportFrom) else []
        yield from (name if name.startswith("services.") else name.partition(".")[0] for name in names)


def test_setup_compiles_no_package_whole() -> None:
    makefile = (ROOT / "Makefile").read_text()
    assert "--compile-bytecode" not in makefile
    assert "requirements/compile_starts.py" in makefile


@pytest.mark.parametrize("part", PARTS)
def test_what_a_part_imports_is_there(part: str) -> None:
    names = list(imported(PARTS[part]))
    assert names
    assert [name for name in names if find_spec(name) is None] == []


def test_every_service_is_a_part() -> None:
    roots = {path.parent.name for path in (ROOT / "services").glob("*/app.py")}
    named = set(re.findall(r"services\.(\w+)", " ".join(PARTS.values())))
    assert roots <= named
