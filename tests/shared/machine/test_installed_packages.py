"""Versions of installed packages, read from the names of their records: equal to what importlib.metadata says."""

from __future__ import annotations

from importlib.metadata import distributions
from pathlib import Path

import pytest

from shared.machine.installed_packages import version_of


def test_every_installed_package_has_the_version_that_its_metadata_say() -> None:
    first = {one.name: one.version for one in reversed(list(distributions()))}
    assert {name: version_of(name) for name in first} == first


@pytest.mark.parametrize("spelling", ["typing-extensions", "typing_extensions", "Typing.Extensions"])
def test_a_name_is_found_in_every_spelling(spelling: str) -> None:
    assert version_of(spelling) == version_of("typing_extensions") is not None


def test_what_is_not_installed_has_no_version() -> None:
    assert version_of("no-such-package") is None


def test_the_first_on_the_path_counts_and_a_missing_folder_is_passed_over(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "numpy-0.0.1+local.dist-info").mkdir()
    monkeypatch.setattr("sys.path", [str(tmp_path / "missing"), str(tmp_path)])
    assert version_of("numpy") == "0.0.1+local"
