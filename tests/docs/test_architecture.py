"""ARCHITECTURE.md's stops are functions that exist, and the codemap names what is there."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
TEXT = (ROOT / "ARCHITECTURE.md").read_text()
STOP = re.compile(r"^\| \d \| `([^`]+)` `(\w+)\(\)`", re.MULTILINE)
STOPS = STOP.findall(TEXT)
CODEMAP = re.findall(r"`((?:shared|services|client|tests|benchmarks)/[\w./]*)`", TEXT)


def test_a_job_has_six() -> None:
    section = TEXT.split("\n## One job in six stops\n", 1)[1].split("\n## ", 1)[0]
    assert len(STOP.findall(section)) == 6


@pytest.mark.parametrize(("path", "function"), STOPS)
def test_the_stop_is_a_function_of_its_file(path: str, function: str) -> None:
    tree = ast.parse((ROOT / path).read_text())
    defined = {node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)}
    assert function in defined


@pytest.mark.parametrize("path", sorted(set(CODEMAP)))
def test_what_the_codemap_names_is_there(path: str) -> None:
    assert (ROOT / path).exists()
