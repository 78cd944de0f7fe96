"""The published neural voices, where their packages can be had, promise equal samples on one machine: tier 0."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.example_pins import pulled_example, settings_of
from tests.worker.certify.test_certify_commands import certify

ITEMS = """
schema: 1
name: one
version: "1"
title: One short text
licence: CC0-1.0
language: en
items:
  - {id: train, text: "The train leaves at noon."}
"""


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("published")


@pytest.mark.parametrize("pin", ["joe", "kokoro", "hibari"])
def test_a_published_voice_gives_equal_samples_warm_in_another_process_and_under_load(data: Path, pin: str) -> None:
    folder = data / pin
    folder.mkdir()
    (folder / "data").mkdir()
    pulled_example(pin, folder / "data")
    suite = folder / "one.yaml"
    suite.write_text(ITEMS)
    how = ("--suite", str(suite), "--repeats", "1", "--require", "0")
    made = certify(folder, pin, *how, environ=settings_of(folder / "data"))
    assert made.returncode == 0, made.stderr
    assert made.stdout.startswith(f"## {pin}: tier 0, equal PCM (1 item)"), made.stdout[:200]
