"""What the docs say of metrics, codes and settings is what the code says."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.docs.tables import pages


@pytest.mark.parametrize("path", pages(), ids=lambda path: path.name)
def test_the_page_is_made_from_the_code(path: Path) -> None:
    assert path.read_text() == pages()[path], "run: python tests/docs/tables.py"
