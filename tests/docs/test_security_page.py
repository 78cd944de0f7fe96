"""docs/security.md: every test that it says holds a promise is there."""

from __future__ import annotations

import re
from pathlib import Path

ROOT = Path(__file__).parents[2]


def test_every_test_that_it_names_is_there() -> None:
    named = re.findall(r"`((?:tests/)?[\w/]*test_\w+\.py)`", (ROOT / "docs/security.md").read_text())
    there = {path.name: path for path in (ROOT / "tests").rglob("test_*.py")}
    assert len(named) > 20
    for name in named:
        assert (ROOT / name).exists() if "/" in name else name in there, name
