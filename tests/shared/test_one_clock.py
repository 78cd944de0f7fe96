"""No service takes the time for a stored row from its own machine: where that is asked for at all is listed here."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

ALLOWED = {
    "shared/weights/store.py": "notes in the folder of the weights, beside the times of its files",
    "services/worker/certify/certify_commands.py": "the date in a certificate, which is a file",
    "shared/blobs/folder.py": "how old a file of this machine is, one that a killed process left",
    "services/worker/memory/ledger.py": "how old a file of this machine is",
}
_ASKING = {("time", "time"), ("time", "time_ns"), ("datetime", "now"), ("datetime", "utcnow"), ("date", "today")}


def _asks(path: Path) -> Iterator[int]:
    """Lines at which the machine's clock is asked. As the default of a parameter it is not: each composition root gives
    its own clock, and the default is for tests."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
            owner = node.func.value
            name = owner.id if isinstance(owner, ast.Name) else owner.attr if isinstance(owner, ast.Attribute) else ""
            if (name, node.func.attr) in _ASKING:
                yield node.lineno


def test_the_machines_clock_is_asked_nowhere_but_where_it_is_meant() -> None:
    files = [path for folder in ("shared", "services") for path in Path(folder).rglob("*.py")]
    assert len(files) > 200
    asking = {str(path) for path in files if "engines" not in path.parts and [*_asks(path)]}
    assert asking == set(ALLOWED)


def test_every_composition_root_gives_the_databases_clock() -> None:
    for service in ("gateway", "worker", "scorer"):
        text = Path(f"services/{service}/app.py").read_text()
        assert re.search(r"DatabaseClock\((database|own)\)", text)
