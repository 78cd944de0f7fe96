"""`ringtrue suites`: what ships is listed and shown; a file is checked as a compiler would."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from services.scorer.suite_commands import suites
from shared.suites.reading import golden_names, golden_suite
from tests.shared.suites.suite_texts import HEAD, IN_YAML, ONE, SUITE


def run(*arguments: str) -> Result:
    return CliRunner().invoke(suites, arguments)


def done(*arguments: str) -> str:
    result = run(*arguments)
    assert result.exit_code == 0, result.output
    return result.stdout


@pytest.fixture
def ours(tmp_path: Path) -> Path:
    file = tmp_path / "ours.yaml"
    file.write_text(IN_YAML)
    return file


def test_what_ships_is_listed() -> None:
    head, *rows = done("list").splitlines()
    assert head.split() == ["NAME", "VERSION", "ITEMS", "LANGUAGES", "SHA256", "TITLE"]
    assert [row.split()[0] for row in rows] == list(golden_names())
    assert all(golden_suite(row.split()[0]).sha256[:12] in row for row in rows)


def test_what_ships_is_listed_for_machines() -> None:
    first = json.loads(done("list", "--json").splitlines()[0])
    suite = golden_suite("golden-en")
    assert (first["name"], first["version"], first["sha256"]) == (suite.name, suite.version, suite.sha256)
    assert (first["items"], first["languages"]) == (40, ["en"])


def test_columns_stay_below_each_other_in_chinese(tmp_path: Path) -> None:
    file = tmp_path / "ours.yaml"
    file.write_text(HEAD + "- {id: a, text: One., tags: [方言]}\n- {id: b, text: Two., tags: [dialect]}\n")
    wide, narrow = done("show", str(file)).splitlines()[-2:]
    # two characters of four cells, seven of seven
    assert (wide.index("One."), narrow.index("Two.")) == (narrow.index("Two.") - 2, narrow.index("Two."))


def test_a_file_is_shown(ours: Path) -> None:
    shown = done("show", str(ours)).splitlines()
    assert shown[:2] == ["ours 1.0: Ours", f"CC0-1.0, sha256 {SUITE.sha256}"]
    assert shown[5].split() == ["glad", "en", "happy", "0.8", "-", "dialect:north,", "short", "It", "rings", "true!"]
    assert shown[6].endswith("Café ouvert. Entrez.")


def test_a_long_text_is_cut_in_a_table_and_whole_for_machines() -> None:
    item = golden_suite("golden-long").items[0]
    assert f"… ({len(item.text)} characters)" in done("show", "golden-long")
    document = json.loads(done("show", "golden-long", "--json"))
    assert document["items"][0] == item.to_json()
    assert document["sha256"] == golden_suite("golden-long").sha256


def test_a_good_file_is_told_with_its_hash(ours: Path) -> None:
    assert done("check", str(ours)) == f"{ours}: ours 1.0, 3 items, sha256 {SUITE.sha256}\n"


def test_every_fault_of_every_file_is_told(tmp_path: Path, ours: Path) -> None:
    wrong = tmp_path / "wrong.yaml"
    wrong.write_text(HEAD + ONE + "- {id: b}\n- {id: c, text: Two., emotion: joyful}\n")
    result = run("check", str(wrong), str(ours), str(tmp_path / "nowhere.yaml"))
    assert result.exit_code == 65
    first, second, third = result.stdout.splitlines()
    assert first == f"{wrong}:9: item b: text is missing"
    assert second.startswith(f"{wrong}:10: item c: emotion 'joyful' is not one of neutral, happy, ")
    assert third.startswith(f"{ours}: ours 1.0")
    assert result.stderr == f"{tmp_path / 'nowhere.yaml'}: No such file or directory\n"


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (("check", "nowhere.yaml"), 66),
        (("show", "nowhere.yaml"), 66),
        (("show", "golden-nowhere"), 66),
    ],
)
def test_what_is_not_there_is_not_found(arguments: tuple[str, ...], code: int) -> None:
    assert run(*arguments).exit_code == code


def test_a_wrong_file_is_not_shown(tmp_path: Path) -> None:
    file = tmp_path / "wrong.jsonl"
    file.write_text("{}")
    result = run("show", str(file))
    assert (result.exit_code, result.stdout) == (65, "")
    assert f"{file}:1: name is missing" in result.stderr.splitlines()


def test_the_command_finds_it_and_a_wrong_command_line_is_no_verdict() -> None:
    command = [sys.executable, "-m", "ringtrue", "suites"]
    listed = subprocess.run([*command, "list"], capture_output=True, text=True, check=True, timeout=60)
    assert "golden-zh-emotion" in listed.stdout
    wrong = subprocess.run([*command, "check"], capture_output=True, text=True, check=False, timeout=60)
    assert wrong.returncode == 64
