"""Suites are read from both notations, and their hash is of what can move a result and of nothing else."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from shared.suites.reading import read_suite
from shared.suites.suite import Item, Suite
from tests.shared.suites.suite_texts import HEAD, IN_JSON_LINES, IN_YAML, SUITE, as_data, parsed


def test_yaml_is_understood() -> None:
    assert parsed(IN_YAML) == SUITE


def test_json_lines_are_understood() -> None:
    assert parsed(IN_JSON_LINES, "suite.jsonl") == SUITE


@pytest.mark.parametrize(
    ("file", "data"),
    [
        ("suite.yml", b"\xef\xbb\xbf" + IN_YAML.encode()),
        ("SUITE.YAML", IN_YAML.replace("\n", "\r\n").encode()),
        ("suite.jsonl", b"\xef\xbb\xbf" + IN_JSON_LINES.encode()),
        ("suite.jsonl", IN_JSON_LINES.replace("\n", "\r\n").encode()),
    ],
)
def test_editors_of_other_systems_change_nothing(tmp_path: Path, file: str, data: bytes) -> None:
    (tmp_path / file).write_bytes(data)
    assert read_suite(tmp_path / file) == SUITE


def test_what_a_suite_says_of_itself_is_a_suite_again() -> None:
    assert parsed(json.dumps(as_data(SUITE))) == SUITE


def test_plain_words_are_text_as_in_yaml_1_2() -> None:
    (item,) = parsed(HEAD + "- {id: on, text: Off, language: no, tags: [yes, 2026-01-01, 0x1f, 1:30]}\n").items
    assert item == Item("on", "Off", "no", tags=("0x1f", "1:30", "2026-01-01", "yes"))


@pytest.mark.parametrize("written", ["1", "1.0", "1.", "+1", "10e-1"])
def test_a_number_may_be_written_in_every_way(written: str) -> None:
    (item,) = parsed(HEAD + f"- {{id: a, text: One., emotion: sad, strength: {written}}}\n").items
    assert item.strength == 1.0


def test_a_line_separator_does_not_end_a_line_of_json() -> None:
    lines = IN_JSON_LINES.replace("It rings", "It\u2028rings")
    assert parsed(lines, "suite.jsonl").items[1].text == "It\nrings true!"


def changed(**members: object) -> Suite:
    """The suite with another first item."""
    return replace(SUITE, items=(replace(SUITE.items[0], **members), *SUITE.items[1:]))


@pytest.mark.parametrize(
    "other",
    [
        replace(SUITE, name="theirs", version="2.0", title="Theirs", licence="MIT", description=""),
        replace(SUITE, items=SUITE.items[::-1]),
        parsed(IN_JSON_LINES, "suite.jsonl"),
    ],
    ids=["what is said about it", "the order of its items", "its notation"],
)
def test_the_hash_does_not_depend_on(other: Suite) -> None:
    assert other.sha256 == SUITE.sha256


def test_a_strength_that_is_not_said_is_hashed_as_the_full_one() -> None:
    felt = changed(emotion="happy")
    assert felt.sha256 == changed(emotion="happy", strength=1.0).sha256
    assert felt.items[0].submission()["emotion"] == {"name": "happy"}


@pytest.mark.parametrize(
    "members",
    [
        {"id": "other"},
        {"text": "No, really: 25 % off."},
        {"language": "en-gb"},
        {"emotion": "happy"},
        {"voice": "anna"},
        {"reference": "voice_2"},
        {"tags": ("short",)},
    ],
    ids=str,
)
def test_the_hash_depends_on(members: dict[str, object]) -> None:
    assert changed(**members).sha256 != SUITE.sha256


def test_the_hash_depends_on_strength() -> None:
    assert changed(emotion="happy", strength=0.5).sha256 != changed(emotion="happy").sha256


@pytest.mark.parametrize(
    ("module", "libraries"),
    [
        ("services.scorer.suite_commands", {"yaml", "pydantic"}),
        ("services.scorer.studies.analysis_host", {"yaml", "pydantic"}),
        ("services.worker.app", {"pydantic"}),
    ],
)
def test_whoever_could_read_suites_and_rules_loads_no_library_for_it(module: str, libraries: set[str]) -> None:
    told = f"import sys, {module}; print(*{libraries} & {{*sys.modules}})"
    assert subprocess.run([sys.executable, "-c", told], check=True, capture_output=True).stdout == b"\n"
